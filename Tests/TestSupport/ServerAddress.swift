private import Foundation

/// A server's URL taken apart, so that other users and databases can be put in.
package struct ServerAddress: Hashable, Sendable {
    /// Host and port of each server that the URL names, at least one.
    package let authorities: [String]

    /// The user that the URL names.
    package let user: String

    /// That user's password.
    package let password: String

    /// What follows the path, question mark included; empty where nothing does.
    package let options: String

    /// All hosts and ports, as they stand in a URL.
    package var authority: String { authorities.joined(separator: ",") }

    /// - Throws: `TestSupportError` with code `noServers` when the text is no such URL.
    package init(_ url: String) throws {
        let error = TestSupportError(
            .noServers,
            "A server's address is no URL with user, password, hosts and ports."
        )
        guard let scheme = url.firstRange(of: "://"), let at = url.lastIndex(of: "@"), scheme.upperBound < at else {
            throw error
        }
        let credentials = url[scheme.upperBound..<at].split(separator: ":", maxSplits: 1).map(String.init)
        let rest = url[url.index(after: at)...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let hosts = rest[..<end].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard credentials.count == 2, hosts.allSatisfy(Self.isAuthority) else { throw error }
        authorities = hosts
        user = credentials[0].removingPercentEncoding ?? credentials[0]
        password = credentials[1].removingPercentEncoding ?? credentials[1]
        options = rest.firstIndex(of: "?").map { String(rest[$0...]) } ?? ""
    }

    /// The value of an `Authorization` header.
    package var basicAuthorization: String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    private static func isAuthority(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else { return false }
        return UInt16(text[text.index(after: colon)...]) != nil
    }
}
