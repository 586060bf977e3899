import Foundation
import NIOSSL
import OutboundHTTP
import TestSupport
import Testing

@Suite("TLS", .enabled(if: Certificates.openssl != nil, "there is no openssl to make certificates with"))
struct TLSTests {
    /// Asks a server that has a certificate for `shop.test`, and for the address 127.0.0.1.
    private func ask(
        name: String,
        trustsIssuer: Bool,
        check: (Result<OutboundResponse, OutboundError>, TestServer) throws -> Void
    ) async throws {
        let certificates = try await Certificates.make(names: "DNS:shop.test,IP:127.0.0.1")
        defer { certificates.remove() }
        try await TestServer.plan(tls: certificates.context(), script: { _ in .answer(200, [], "private") }).run {
            server in
            try await withClient(
                allowing: "127.0.0.1",
                names: ["shop.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]],
                configuration: settings { if trustsIssuer { $0.trustFile = certificates.certificateFile } }
            ) { client in
                let result: Result<OutboundResponse, OutboundError>
                do throws(OutboundError) {
                    result = .success(try await client.send(.post, server.url(scheme: "https", name: name)))
                } catch {
                    result = .failure(error)
                }
                try check(result, server)
            }
        }
    }

    @Test("holds the certificate to the name in the URL, while the connection goes to the pinned address")
    func rightName() async throws {
        try await ask(name: "shop.test", trustsIssuer: true) { result, server in
            let answer = try result.get()
            #expect(answer.text == "private")
            #expect(server.requests.first?.values("host") == ["shop.test:\(server.port)"])
        }
    }

    @Test("holds the certificate to an address in the URL")
    func rightAddress() async throws {
        try await ask(name: "127.0.0.1", trustsIssuer: true) { result, _ in
            let answer = try result.get()
            #expect(answer.status == 200)
        }
    }

    @Test("refuses a certificate for another name, and sends nothing")
    func wrongName() async throws {
        try await ask(name: "other.test", trustsIssuer: true) { result, server in
            let error = #expect(throws: OutboundError.self) { try result.get() }
            #expect(error?.code == .tlsFailed)
            #expect(error?.outcome == .notSent)
            #expect(error?.isRetryable == false)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("refuses an issuer that it does not know, and sends nothing")
    func unknownIssuer() async throws {
        try await ask(name: "shop.test", trustsIssuer: false) { result, server in
            let error = #expect(throws: OutboundError.self) { try result.get() }
            #expect(error?.code == .tlsFailed)
            #expect(error?.outcome == .notSent)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("with a server that speaks none fails, and sends nothing")
    func noTLS() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            let error = try await withClient(allowing: server.entry) {
                await $0.failure(.post, server.url(scheme: "https"), within: .seconds(2))
            }
            #expect(error?.outcome == .notSent)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("is not left by a redirect")
    func downgrade() async throws {
        let certificates = try await Certificates.make(names: "DNS:shop.test")
        defer { certificates.remove() }
        let script: TestServer.Script = { _ in .answer(307, ["Location: http://127.0.0.1/"]) }
        try await TestServer.plan(tls: certificates.context(), script: script).run { server in
            let error = try await withClient(
                allowing: "127.0.0.1",
                names: ["shop.test": ["127.0.0.1"]],
                configuration: settings { $0.trustFile = certificates.certificateFile }
            ) { client in
                await client.failure(.get, server.url(scheme: "https", name: "shop.test"), redirects: .follow(max: 1))
            }
            #expect(error?.code == .redirectRefused)
            #expect(error?.message.contains("https to http") == true)
        }
    }

    @Test("needs a file of certificates that can be read", arguments: ["/nowhere/ca.pem", "/dev/null"])
    func badFile(path: String) {
        var configuration = OutboundConfiguration()
        configuration.trustFile = path
        let error = failure { () throws(OutboundError) in try OutboundClient(configuration: configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(path) == true)
    }
}

/// A certificate that signs itself, made by the command line of OpenSSL.
private struct Certificates {
    let folder: URL

    var certificateFile: String { folder.appending(path: "server.pem").path }

    /// Where the program is.
    static let openssl = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/openssl" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    static func make(names: String) async throws -> Certificates {
        let folder = FileManager.default.temporaryDirectory.appending(path: "outbound-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await Command.check(
            try #require(openssl),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=test", "-addext", "subjectAltName=\(names)",
                "-keyout", folder.appending(path: "server.key").path,
                "-out", folder.appending(path: "server.pem").path,
            ]
        )
        return Certificates(folder: folder)
    }

    func context() throws -> NIOSSLContext {
        let key = folder.appending(path: "server.key").path
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))
            )
        )
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
