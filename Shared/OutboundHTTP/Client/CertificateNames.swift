import NIOSSL

/// Whether a certificate is for a name.
///
/// The TLS library lets a certificate pass that is for the *address* of the connection, whatever name was asked for, and
/// one that has the name only in its subject. Addresses come from DNS, so whoever forges an answer of DNS and has a
/// certificate for an address of their own would pass for any name.
enum CertificateNames {
    /// Whether one of the certificate's DNS names is the name, or a wildcard for its first label (RFC 9525, section 6.3).
    static func contain(_ name: String, in certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames().contains { entry in
            entry.nameType == .dnsName && matches(String(decoding: entry.contents, as: UTF8.self), name)
        }
    }

    /// Whether a DNS name of a certificate covers a name in lower case.
    static func matches(_ pattern: String, _ name: String) -> Bool {
        let pattern = pattern.lowercased()
        guard pattern.hasPrefix("*.") else { return pattern == name }
        guard let dot = name.firstIndex(of: ".") else { return false }
        let rest = pattern.dropFirst(2)
        return rest.contains(".") && name[name.index(after: dot)...] == rest
    }
}
