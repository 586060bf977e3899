import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite("HTTPS", .requiresServers, .timeLimit(.minutes(2)))
struct GatewayTLSTests {
    // MARK: - The start

    @Test("files that are of no use stop the start with a sentence that names the setting")
    func refusedFiles() async throws {
        try await TestAuthority.with { authority in
            try await TestAuthority.with { other in
                let empty = authority.directory + "/empty.pem"
                try "".write(toFile: empty, atomically: true, encoding: .utf8)
                let (certificate, key) = (authority.certificateFile, authority.keyFile)
                let missing = authority.directory + "/nothing.pem"
                for (certificateFile, keyFile, sentence) in [
                    (missing, key, "BATUTA_HTTP_TLS_CERTIFICATE_FILE names \(missing), and there is no such file."),
                    (certificate, missing, "BATUTA_HTTP_TLS_KEY_FILE names \(missing), and there is no such file."),
                    (
                        authority.directory, key,
                        "BATUTA_HTTP_TLS_CERTIFICATE_FILE names \(authority.directory), and it cannot be read."
                    ),
                    (empty, key, "BATUTA_HTTP_TLS_CERTIFICATE_FILE: \(empty) holds no certificate in PEM form."),
                    (key, key, "BATUTA_HTTP_TLS_CERTIFICATE_FILE: \(key) holds no certificate in PEM form."),
                    (
                        certificate, certificate,
                        "BATUTA_HTTP_TLS_KEY_FILE: \(certificate) holds no private key in PEM form that can be read "
                            + "without a passphrase."
                    ),
                    (
                        certificate, other.keyFile,
                        "BATUTA_HTTP_TLS_KEY_FILE: the key in \(other.keyFile) does not fit the first certificate in "
                            + "\(certificate)."
                    ),
                ] {
                    #expect(throws: StartError(sentence)) {
                        try GatewayTLS(certificateFile: certificateFile, keyFile: keyFile)
                    }
                }
                let tls = try #require(try GatewayTLS.configured(certificateFile: certificate, keyFile: key))
                #expect(tls.expiresAt > Date())
            }
        }
    }

    @Test("certificate and key are given together or not at all")
    func bothOrNone() throws {
        #expect(try GatewayTLS.configured(certificateFile: nil, keyFile: nil) == nil)
        #expect(
            throws: StartError(
                "BATUTA_HTTP_TLS_CERTIFICATE_FILE is set and BATUTA_HTTP_TLS_KEY_FILE is not; HTTPS needs both, and HTTP "
                    + "none of them."
            )
        ) {
            try GatewayTLS.configured(certificateFile: "a", keyFile: nil)
        }
        #expect(throws: StartError.self) { try GatewayTLS.configured(certificateFile: nil, keyFile: "a") }
    }

    // MARK: - Connections

    @Test("a client that trusts the authority and asks for the right name is answered, and no other")
    func trust() async throws {
        try await TestAuthority.with { authority in
            try await TestAuthority.with { other in
                try await Self.withGateway(authority) { test, port in
                    let body = #"{"type":"a.b"}"#
                    let trusted = TestConnections.trusting(authority)
                    let right = HTTPTestClient(
                        base: "https://localhost:\(port)",
                        headers: ["Authorization": "Bearer \(test.adminToken)"],
                        client: trusted
                    )
                    #expect(try await right.post("/api/signals", json: body).status == 202)
                    // The same connection goes on.
                    #expect(try await right.post("/api/signals", json: body).status == 202)
                    #expect(test.gateway.server.openConnections == 1)
                    for client in [
                        HTTPTestClient(base: "https://127.0.0.1:\(port)", client: trusted),
                        HTTPTestClient(base: "https://localhost:\(port)", client: TestConnections.trusting(other)),
                        HTTPTestClient(base: "http://localhost:\(port)", client: TestConnections.impatient),
                    ] {
                        await #expect(throws: (any Error).self) { try await client.get("/api/runs") }
                    }
                    try await eventually("their connections are gone") { test.gateway.server.openConnections == 1 }
                }
            }
        }
    }

    @Test("versions below 1.2 are refused, and HTTP/1.1 is what a client is offered")
    func protocolVersions() async throws {
        try await TestAuthority.with { authority in
            try await Self.withGateway(authority) { _, port in
                var configuration = try Self.clientConfiguration(authority)
                configuration.applicationProtocols = ["h2", "http/1.1"]
                #expect(try await Self.negotiated(configuration, port: port) == "http/1.1")
                configuration.minimumTLSVersion = .tlsv1
                configuration.maximumTLSVersion = .tlsv11
                await #expect(throws: (any Error).self) { try await Self.negotiated(configuration, port: port) }
            }
        }
    }

    @Test("a body that takes too long is ended, and so is a client that never begins to encrypt")
    func slowClients() async throws {
        try await TestAuthority.with { authority in
            try await Self.withGateway(authority, bodyPatience: .milliseconds(200), idleTimeout: .seconds(1)) {
                test,
                port in
                let context = try NIOSSLContext(configuration: try Self.clientConfiguration(authority))
                let answer = try await RawConnection.exchange(
                    port: port,
                    parts: [
                        "POST /api/signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(test.adminToken)\r\n"
                            + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
                    ],
                    tls: context
                )
                #expect(answer.hasPrefix("HTTP/1.1 408 "))
                // It returns because the server closes.
                #expect(try await RawConnection.exchange(port: port, parts: []) == "")
                try await eventually("nobody is left") { test.gateway.server.openConnections == 0 }
            }
        }
    }

    @Test("a stop asks clients to close, and does not wait for one that keeps its connection")
    func drain() async throws {
        try await TestAuthority.with { authority in
            let client = TestConnections.trusting(authority)
            try await Self.withGateway(authority) { test, port in
                let headers = ["Authorization": "Bearer \(test.adminToken)"]
                let held = HTTPTestClient(base: "https://localhost:\(port)", headers: headers, client: client)
                let answer = try await held.post("/api/signals", json: #"{"type":"a.b"}"#)
                #expect(answer.status == 202)
                #expect(test.gateway.server.openConnections == 1)
                // The end of the block stops it, and the suite's time limit tells whether it does.
            }
        }
    }

    // MARK: - What the tests share

    private static func withGateway(
        _ authority: TestAuthority,
        bodyPatience: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(60),
        _ body: @Sendable (TestGateway, Int) async throws -> Void
    ) async throws {
        let tls = try GatewayTLS(certificateFile: authority.certificateFile, keyFile: authority.keyFile)
        var configuration = TestGateway.configuration
        configuration.server.idleTimeout = idleTimeout
        try await TestGateway.with(bodyPatience: bodyPatience, configuration: configuration, tls: tls) { test in
            try await body(test, try #require(test.gateway.server.port))
        }
    }

    private static func clientConfiguration(_ authority: TestAuthority) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority.caFile)
        return configuration
    }

    /// What is negotiated by ALPN.
    private static func negotiated(_ configuration: TLSConfiguration, port: Int) async throws -> String? {
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                    try channel.pipeline.syncOperations.addHandler(handler)
                    try channel.pipeline.syncOperations.addHandler(HandshakeHandler(on: channel.eventLoop))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let outcome = try await channel.eventLoop.flatSubmit {
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.handler(type: HandshakeHandler.self).outcome
            }
            .flatMap { $0 }
        }
        .get()
        try await channel.close()
        return outcome
    }
}

/// Tells how a handshake ended.
private final class HandshakeHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let promise: EventLoopPromise<String?>
    var outcome: EventLoopFuture<String?> { promise.futureResult }

    init(on eventLoop: any EventLoop) {
        promise = eventLoop.makePromise()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated) = event as? TLSUserEvent { promise.succeed(negotiated) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }
}
