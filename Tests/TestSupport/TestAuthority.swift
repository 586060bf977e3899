private import Foundation

/// A private certificate authority with one server's certificate, as `compose/certificates` makes them.
package struct TestAuthority: Hashable, Sendable {
    /// The folder of the files.
    package let directory: String

    /// The certificates that a client has to trust.
    package var caFile: String { directory + "/ca.pem" }

    /// The server's certificate.
    package var certificateFile: String { directory + "/server.pem" }

    /// The server's private key.
    package var keyFile: String { directory + "/server.key" }

    /// The authority in a folder that has one.
    package init(directory: String) {
        self.directory = directory
    }

    /// Makes an authority with a certificate for these names, lends it, and deletes its files.
    ///
    /// - Parameters:
    ///   - names: Names of hosts.
    ///   - body: What to do with it.
    /// - Returns: What the body returns.
    /// - Throws: `TestSupportError` where openssl makes none, or what the body throws.
    package static func with<Value>(
        _ names: [String] = ["localhost"],
        _ body: (TestAuthority) async throws -> Value
    ) async throws -> Value {
        let directory = Command.temporaryURL("tls").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let authority = TestAuthority(directory: directory)
        try await authority.certify(names)
        return try await body(authority)
    }

    /// Makes another certificate in place of the server's; the authority stays.
    package func certify(_ names: [String]) async throws {
        let command = BuildFolder.repository.appendingPathComponent("compose/certificates").path
        try await Command.check(command, [directory] + names)
    }
}
