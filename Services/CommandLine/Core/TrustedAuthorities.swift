import ArgumentParser
import AsyncHTTPClient
import NIOSSL
import Synchronization

/// Whose certificates a command believes: an option that every command that speaks HTTP has.
struct TrustOptions: ParsableArguments {
    static let fileName = "BATUTA_CA_FILE"

    @Option(
        name: .customLong("ca-file"),
        help: """
            A PEM file of the only authorities that are trusted, in place of the system's; otherwise \(fileName). It \
            counts for https:// addresses.
            """
    )
    var authorities: String?

    /// The connections to an address.
    ///
    /// - Throws: ``CommandLineError`` when the file holds no certificate.
    func httpClient(for url: String) throws(CommandLineError) -> HTTPClient {
        guard url.lowercased().hasPrefix("https:") else { return .shared }
        let configured = try EnvironmentSetting.value(Self.fileName)
        return try TrustedAuthorities.client(authorities ?? configured)
    }
}

/// Connections that trust the authorities of a file and nobody else, or without a file the system's.
enum TrustedAuthorities {
    /// They live as long as the process, so nobody shuts them down.
    private static let clients = Mutex<[String: HTTPClient]>([:])

    /// - Throws: ``CommandLineError`` when the file holds no certificate.
    static func client(_ path: String?) throws(CommandLineError) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let path {
            guard let roots = try? NIOSSLCertificate.fromPEMFile(path), !roots.isEmpty else {
                throw CommandLineError(.file, "\(path) cannot be read, or holds no certificate in PEM form")
            }
            tls.trustRoots = .certificates(roots)
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        // A certificate that is refused stays so: there is no use in trying until the deadline.
        configuration.connectionPool.retryConnectionEstablishment = false
        return clients.withLock { clients in
            if let client = clients[path ?? ""] { return client }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            clients[path ?? ""] = client
            return client
        }
    }

    /// Whether an error is about the other side's certificate, or about TLS itself.
    static func isRefusal(_ error: any Error) -> Bool {
        if error is NIOSSLExtraError { return true }
        guard let error = error as? NIOSSLError, case .handshakeFailed = error else { return false }
        return true
    }
}
