package import Foundation
import Metrics
package import NIOSSL
import ServiceRuntime

/// The certificate that the gateway shows to clients, and its key, checked before anything listens.
///
/// TLS 1.2 or later, and HTTP/1.1 for clients that ask by ALPN. Both files are read once: a changed certificate counts
/// from the next start.
package struct GatewayTLS: Sendable {
    package static let expiryLabel = "batuta_http_tls_certificate_expires_seconds"

    package let context: NIOSSLContext
    /// When the server's own certificate ends.
    package let expiresAt: Date

    /// Reads the files that the settings name.
    ///
    /// - Parameters:
    ///   - certificateFile: The certificate in PEM form, followed by those of the authorities between it and the root.
    ///   - keyFile: Its private key in PEM form, without a passphrase.
    /// - Throws: `StartError`, with a sentence that names the setting.
    package init(certificateFile: String, keyFile: String) throws {
        let certificateName = GatewayKeys.tlsCertificateFile.name
        let keyName = GatewayKeys.tlsKeyFile.name
        let certificateBytes = try Self.read(certificateFile, certificateName)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(certificateBytes), let own = chain.first else {
            throw StartError("\(certificateName): \(certificateFile) holds no certificate in PEM form.")
        }
        let keyBytes = try Self.read(keyFile, keyName)
        guard let key = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else {
            throw StartError(
                "\(keyName): \(keyFile) holds no private key in PEM form that can be read without a passphrase."
            )
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw StartError(
                "\(keyName): the key in \(keyFile) does not fit the first certificate in \(certificateFile)."
            )
        }
        expiresAt = Date(timeIntervalSince1970: TimeInterval(own.notValidAfter))
    }

    /// The certificate of two settings, of which both or none are set.
    ///
    /// - Throws: `StartError`.
    package static func configured(certificateFile: String?, keyFile: String?) throws -> GatewayTLS? {
        switch (certificateFile, keyFile) {
        case (let certificateFile?, let keyFile?):
            return try GatewayTLS(certificateFile: certificateFile, keyFile: keyFile)
        case (nil, nil):
            return nil
        case (_?, nil):
            throw missing(GatewayKeys.tlsKeyFile.name, beside: GatewayKeys.tlsCertificateFile.name)
        case (nil, _?):
            throw missing(GatewayKeys.tlsCertificateFile.name, beside: GatewayKeys.tlsKeyFile.name)
        }
    }

    /// Tells monitors when the certificate ends.
    func measure() {
        Gauge(label: Self.expiryLabel).record(expiresAt.timeIntervalSince1970)
    }

    private static func missing(_ name: String, beside other: String) -> StartError {
        StartError("\(other) is set and \(name) is not; HTTPS needs both, and HTTP none of them.")
    }

    private static func read(_ path: String, _ name: String) throws -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error as CocoaError {
            let reason =
                switch error.code {
                case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
                case .fileReadNoPermission: "this user may not read it"
                default: "it cannot be read"
                }
            throw StartError("\(name) names \(path), and \(reason).")
        } catch {
            throw StartError("\(name) names \(path), and it cannot be read.")
        }
    }
}
