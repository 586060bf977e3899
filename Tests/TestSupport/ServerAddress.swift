private import Foundation

/// A server's URL taken apart, so that other users and databases can be put in.
package struct ServerAddress: Hashable, Sendable {
    /// Host and port.
    package let authority: String

    /// The user that the URL names.
    package let user: String

    /// That user's password.
    package let password: String

    /// - Throws: `TestSupportError` with code `noServers` when the text is no such URL.
    package init(_ url: String) throws {
        guard let parts = URLComponents(string: url), let host = parts.host, let port = parts.port,
            let user = parts.user, let password = parts.password
        else {
            throw TestSupportError(.noServers, "A server's address is no URL with user, password, host and port.")
        }
        authority = "\(host):\(port)"
        self.user = user
        self.password = password
    }

    /// The value of an `Authorization` header.
    package var basicAuthorization: String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}
