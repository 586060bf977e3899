import Glibc
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import ServiceRuntime

/// A response as it came over the socket.
struct PlainResponse: Sendable {
    let status: Int
    let head: String
    let body: String
}

/// Sends one request over a socket of its own.
func fetch(_ target: String, method: String = "GET", port: Int) async throws -> PlainResponse {
    try await blocking { try exchange(target, method: method, port: port) }
}

private func exchange(_ target: String, method: String, port: Int) throws -> PlainResponse {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    try #require(connected == 0)
    let request = Array("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    _ = request.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes.append(contentsOf: buffer[..<count])
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let end = try #require(text.firstRange(of: "\r\n\r\n"))
    let status = try #require(Int(text.dropFirst(9).prefix(3)))
    return PlainResponse(
        status: status,
        head: text[..<end.lowerBound].lowercased(),
        body: String(text[end.upperBound...])
    )
}

@Suite struct HealthServerTests {
    private let health = HealthRegistry()
    private let metrics = PrometheusRegistry()

    /// Runs a server on a free port for as long as the body takes.
    private func withServer(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let server = HealthServer(
            address: ListenAddress(host: "127.0.0.1", port: 0),
            health: health,
            metrics: metrics
        )
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                try await eventually("the server listens") { server.port != nil }
                let port = try #require(server.port)
                do { try await body(port) } catch { Issue.record(error) }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    @Test func readinessFollowsThePhase() async throws {
        try await withServer { port in
            let starting = try await fetch("/readyz", port: port)
            #expect(starting.status == 503)
            #expect(
                starting.body == #"{"status":"unavailable","checks":"#
                    + #"[{"name":"service","reason":"the service is starting","status":"failing"}]}"#
            )
            health.started()
            let running = try await fetch("/readyz", port: port)
            #expect(running.status == 200)
            #expect(running.body == #"{"status":"ok"}"#)
            #expect(running.head.contains("content-type: application/json"))
            health.drainingBegan()
            health.started()
            let draining = try await fetch("/readyz", port: port)
            #expect(draining.status == 503)
            #expect(draining.body.contains("the service is draining"))
            #expect(try await fetch("/livez", port: port).status == 200)
        }
    }

    @Test func readinessFollowsTheChecksAndLivenessDoesNot() async throws {
        let isDown = Atomic<Bool>(true)
        let calls = Atomic<Int>(0)
        health.started()
        health.register("broker") { .ok }
        health.register("database") {
            calls.wrappingAdd(1, ordering: .relaxed)
            return isDown.load(ordering: .relaxed) ? .failing("connection \"refused\"") : .ok
        }
        try await withServer { port in
            #expect(try await fetch("/livez", port: port).body == #"{"status":"ok"}"#)
            #expect(calls.load(ordering: .relaxed) == 0)
            let failing = try await fetch("/readyz", port: port)
            #expect(failing.status == 503)
            #expect(
                failing.body == #"{"status":"unavailable","checks":"#
                    + #"[{"name":"database","reason":"connection \"refused\"","status":"failing"}]}"#
            )
            isDown.store(false, ordering: .relaxed)
            let verbose = try await fetch("/readyz?verbose", port: port)
            #expect(verbose.status == 200)
            #expect(
                verbose.body == #"{"status":"ok","checks":[{"name":"service","status":"ok"},"#
                    + #"{"name":"broker","status":"ok"},{"name":"database","status":"ok"}]}"#
            )
        }
    }

    @Test func metricsAreServedAsText() async throws {
        metrics.declare([.counter("batuta_x_total", help: "X.")])
        try await withServer { port in
            let response = try await fetch("/metrics", port: port)
            #expect(response.status == 200)
            #expect(response.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
            #expect(response.body == "# HELP batuta_x_total X.\n# TYPE batuta_x_total counter\nbatuta_x_total 0\n")
        }
    }

    @Test func onlyReadsOfKnownPathsAreAnswered() async throws {
        try await withServer { port in
            #expect(try await fetch("/", port: port).status == 404)
            #expect(try await fetch("/metrics/x", port: port).status == 404)
            for method in ["POST", "PUT", "DELETE"] {
                let response = try await fetch("/livez", method: method, port: port)
                #expect(response.status == 405)
                #expect(response.head.contains("allow: get, head"))
            }
            let head = try await fetch("/livez", method: "HEAD", port: port)
            #expect(head.status == 200)
            #expect(head.body == "")
            #expect(head.head.contains("content-length: 15"))
        }
    }

    @Test func anAddressThatIsTakenIsASentence() async throws {
        try await withServer { port in
            let second = HealthServer(
                address: ListenAddress(host: "127.0.0.1", port: UInt16(port)),
                health: health,
                metrics: metrics
            )
            let error = await #expect(throws: ServiceRuntimeError.self) { try await second.run() }
            #expect(error?.code == .addressUnavailable)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
            #expect(error?.message.contains("BATUTA_METRICS_ADDRESS") == true)
        }
    }
}

@Suite struct HealthRegistryTests {
    @Test func aCheckThatHangsIsBoundedAndNotStartedTwice() async {
        let health = HealthRegistry()
        let starts = Atomic<Int>(0)
        let (stream, release) = AsyncStream.makeStream(of: Void.self)
        health.started()
        health.register("stuck", within: .milliseconds(5)) {
            starts.wrappingAdd(1, ordering: .relaxed)
            for await _ in stream {}
            return .ok
        }
        for _ in 0..<3 {
            let findings = await health.findings()
            #expect(findings.map(\.state.isOK) == [true, false])
            #expect(findings.last?.state == .failing("no answer within 0.005 seconds"))
        }
        #expect(starts.load(ordering: .relaxed) == 1)
        release.finish()
    }

    @Test func aLaterCheckOfTheSameNameReplacesTheEarlier() async {
        let health = HealthRegistry()
        health.register("x") { .failing("old") }
        health.register("x") { .ok }
        #expect(await health.findings().map(\.name) == ["service", "x"])
        #expect(await health.findings().last?.state == .ok)
    }
}
