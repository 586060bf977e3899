import Foundation
import Glibc
import RabbitMQ
import Testing

/// Verification is tested against a bare TLS end point: a broker behind it would never be reached.
@Suite("TLS", .enabled(if: OpenSSL.isThere, "there is no openssl to make certificates with"))
struct TLSTests {
    /// The error of connecting to an end point whose certificate is for `name`.
    private func refusal(name: String, trustsIssuer: Bool) async throws -> RabbitMQError? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (file, subject) in [("server", name), ("other", "other")] {
            _ = try await Command.run([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(subject)",
                "-addext", "subjectAltName=DNS:\(subject)", "-keyout", folder.appending(path: "\(file).key").path,
                "-out", folder.appending(path: "\(file).pem").path,
            ])
        }
        let server = try TLSServer(folder: folder)
        defer { server.stop() }
        var configuration = RabbitMQConfiguration(
            endpoints: [.init(host: "localhost", port: server.port)],
            user: "guest",
            password: "guest"
        )
        configuration.tls = .verify(caFile: folder.appending(path: trustsIssuer ? "server.pem" : "other.pem").path)
        configuration.rpcTimeout = .milliseconds(500)
        let publisher = RabbitMQPublisher(configuration: configuration, logger: Broker.logger)
        return try await running(publisher) {
            var refusal: RabbitMQError?
            try await eventually("a refusal") {
                // The end point may not listen yet; that is a refused connection, not a refused certificate.
                guard case .disconnected(let error) = publisher.status else { return false }
                guard !error.message.contains("socket error") else { return false }
                refusal = error
                return true
            }
            return refusal
        }
    }

    @Test("refuses an issuer it does not know")
    func unknownIssuer() async throws {
        #expect(try await refusal(name: "localhost", trustsIssuer: false)?.code == .tls)
    }

    @Test("refuses a certificate for another name")
    func wrongName() async throws {
        #expect(try await refusal(name: "broker.example", trustsIssuer: true)?.code == .tls)
    }

    @Test("passes a certificate that is right, and then misses the broker behind it")
    func rightCertificate() async throws {
        #expect(try await refusal(name: "localhost", trustsIssuer: true)?.code == .connectFailed)
    }
}

/// The program that makes certificates and end points.
enum OpenSSL {
    static let isThere = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
    }
}

/// A TLS end point that says nothing.
final class TLSServer {
    let port: Int
    private let process = Process()

    init(folder: URL) throws {
        port = try Proxy.freePort()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(port)",
            "-cert", folder.appending(path: "server.pem").path, "-key", folder.appending(path: "server.key").path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = Pipe()
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Ends the process; waiting for that here would block a thread that the tests share.
    func stop() { kill(process.processIdentifier, SIGKILL) }
}
