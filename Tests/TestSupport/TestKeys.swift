private import Foundation

/// The key file that all services of one test process seal secrets with.
package enum TestKeys {
    /// Its path; the file is made at the first use and lies in the temporary folder.
    package static func path() throws -> String { try file.get() }

    private static let file = Result<String, any Error> {
        let url = Command.temporaryURL("secret.keys")
        let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        let isMade = FileManager.default.createFile(
            atPath: url.path,
            contents: Data("tests \(key)\n".utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard isMade else {
            throw TestSupportError(.noResources, "\(url.path) cannot be written.")
        }
        return url.path
    }
}
