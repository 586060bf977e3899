import Foundation
import Glibc
import Logging
import RabbitMQ
import ServiceLifecycle
import Synchronization
import Testing

/// A generator whose sequence a seed fixes (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What a test waited for did not come.
struct TimedOut: Error {
    var what: String
}

/// Waits for a condition, looking often, until a deadline.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// What a call failed with; `nil` when it did not, or not with an error of the client.
func failure<Result>(_ body: () async throws -> Result) async -> RabbitMQError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? RabbitMQError
    }
}

/// The broker that the environment names.
enum Broker {
    static let url = ProcessInfo.processInfo.environment["BATUTA_TEST_RABBITMQ"]
    static let controlCommand = ProcessInfo.processInfo.environment["BATUTA_TEST_RABBITMQ_CTL"]
    static var isThere: Bool { url != nil }
    static var isControllable: Bool { url != nil && controlCommand != nil }
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func configuration() throws -> RabbitMQConfiguration {
        var configuration = try RabbitMQConfiguration(url: url ?? "")
        configuration.connectionName = "RabbitMQTests"
        configuration.drainTimeout = .seconds(5)
        return configuration
    }

    /// Runs rabbitmqctl.
    @discardableResult
    static func control(_ arguments: String...) async throws -> String {
        let command = controlCommand ?? ""
        let words = command.split(separator: " ").map(String.init) + ["-q"] + arguments
        return try await Command.run(words)
    }

    static func name(_ purpose: String) -> String { "test.\(purpose).\(UInt64.random(in: 0...UInt64.max))" }

    /// A queue that goes away by itself when a test leaves it.
    static func queue(_ purpose: String) -> QueueDeclaration {
        QueueDeclaration(name: name(purpose), arguments: ["x-expires": 300_000])
    }

    static func quorumQueue(_ purpose: String) -> QueueDeclaration {
        .quorum(name(purpose), arguments: ["x-expires": 300_000])
    }
}

/// Something that has happened, for other tasks to see.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .sequentiallyConsistent) }

    func raise() { value.store(true, ordering: .sequentiallyConsistent) }
}

/// Runs a program.
enum Command {
    struct Failed: Error {
        var words: [String]
        var output: String
    }

    static func run(_ words: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runHere(words) })
            }
        }
    }

    private static func runHere(_ words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let output = String(decoding: data, as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failed(words: words, output: output) }
        return output
    }
}

/// Runs services while the body runs, and cancels them after it.
func running<Result: Sendable>(
    _ services: any Service...,
    body: @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services {
            group.addTask { try await service.run() }
        }
        let result = try await body()
        group.cancelAll()
        // A refusal of one service is what some tests are about; they look at it themselves.
        while (await group.nextResult()) != nil {}
        return result
    }
}

/// A TCP proxy in this process that can swallow what the broker says on the connections so far.
final class Proxy: Sendable {
    let port: Int
    private let listener: Int32
    private let target: Int
    private let accepted = Atomic(0)
    private let swallowedThrough = Atomic(0)
    private let stalledThrough = Atomic(0)
    private let sockets = Mutex<[Int32]>([])

    init(target: Int) throws {
        self.target = target
        (listener, port) = try Self.bound()
        guard listen(listener, 16) == 0 else { throw TimedOut(what: "no port") }
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// A port of the loopback interface on which nobody listens.
    static func freePort() throws -> Int {
        let (socket, port) = try bound()
        close(socket)
        return port
    }

    private static func bound() throws -> (socket: Int32, port: Int) {
        let bound = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Self.address(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(bound, address, size) == 0 ? getsockname(bound, address, &size) : -1
            }
        }
        guard result == 0 else { throw TimedOut(what: "no port") }
        return (bound, Int(UInt16(bigEndian: address.sin_port)))
    }

    var connectionCount: Int { accepted.load(ordering: .sequentiallyConsistent) }

    /// From now on nothing from the broker reaches the clients that are connected.
    func swallow() { swallowedThrough.store(connectionCount, ordering: .sequentiallyConsistent) }

    /// From now on nothing that the connected clients send is read, so that their sends block in the end.
    func stall() { stalledThrough.store(connectionCount, ordering: .sequentiallyConsistent) }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        sockets.withLock { for socket in $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.address(port: target)
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(broker, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else {
                close(client)
                continue
            }
            let number = accepted.add(1, ordering: .sequentiallyConsistent).newValue
            sockets.withLock { $0 += [client, broker] }
            Thread.detachNewThread { [self] in pump(from: client, to: broker, number: number, isUpstream: true) }
            Thread.detachNewThread { [self] in pump(from: broker, to: client, number: number, isUpstream: false) }
        }
    }

    private func pump(from source: Int32, to sink: Int32, number: Int, isUpstream: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            if isUpstream, number <= stalledThrough.load(ordering: .sequentiallyConsistent) { return }
            if !isUpstream, number <= swallowedThrough.load(ordering: .sequentiallyConsistent) { continue }
            var sent = 0
            while sent < count {
                let written = send(sink, Array(buffer[sent..<count]), count - sent, Int32(MSG_NOSIGNAL))
                guard written > 0 else { return }
                sent += written
            }
        }
        shutdown(sink, Int32(SHUT_RDWR))
    }
}
