package import Secrets

/// The relay that takes the messages, and how it is spoken to.
package struct MailRelay: Sendable {
    /// How the connection is encrypted.
    package enum Encryption: Sendable, Hashable {
        /// From its first byte on: `smtps://`.
        case implicit
        /// By STARTTLS, without which nothing is sent.
        case startTLS
        /// Not at all.
        case none
    }

    /// A name or an address; IPv6 without brackets.
    package let host: String
    package let port: Int
    package let encryption: Encryption
    /// Whom the relay knows; nil where it asks nobody.
    package let user: String?
    let password: Secret?
    /// A PEM file of the authorities that the relay's certificate is checked against; nil means the system's.
    let trustFile: String?
    /// Whom every message is from.
    package let sender: MailAddress

    /// Reads the settings.
    ///
    /// - Parameters:
    ///   - url: `smtps://[USER@]HOST[:PORT]` or `smtp://[USER@]HOST[:PORT][?starttls=required|never]`, the user
    ///     percent-encoded. The ports are 465 and 587 where it states none.
    ///   - password: The user's password.
    ///   - trustFile: A PEM file of authorities in place of the system's.
    ///   - sender: Whom every message is from.
    /// - Throws: ``MailError`` with code `invalid_configuration`; its message is a phrase after the name of a setting.
    package init(url: String, password: Secret?, trustFile: String?, sender: MailAddress) throws(MailError) {
        let parts = try RelayURL(url)
        host = parts.host
        user = parts.user
        switch (parts.isEncrypted, parts.startTLS) {
        case (true, nil): encryption = .implicit
        case (true, _): throw Self.invalid("is smtps://, which is encrypted from the start, and takes no starttls")
        case (false, nil), (false, "required"): encryption = .startTLS
        case (false, "never"): encryption = .none
        case (false, _): throw Self.invalid("takes starttls=required or starttls=never")
        }
        port = parts.port ?? (parts.isEncrypted ? 465 : 587)
        guard (user == nil) == (password == nil) else {
            throw Self.invalid(
                user == nil ? "names no user, and a password is set" : "names a user, whose password is not set"
            )
        }
        if encryption == .none, user != nil, !parts.isLoopback {
            throw Self.invalid("would send the password over the network for all to read; use STARTTLS or smtps://")
        }
        self.password = password
        self.trustFile = trustFile
        self.sender = sender
    }

    static func invalid(_ reason: String) -> MailError { MailError(.invalidConfiguration, reason) }

    /// Where it is, for people.
    package var origin: String { "\(bracketedHost):\(port)" }

    /// As libcurl takes it.
    var url: String { "\(encryption == .implicit ? "smtps" : "smtp")://\(origin)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }
}
