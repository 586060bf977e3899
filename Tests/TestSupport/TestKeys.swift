private import Foundation
private import MerkleLog

/// The key files that all services of one test process use; each is made at the first use, in the temporary folder.
package enum TestKeys {
    /// The name of the log of every installation.
    package static let logName = "batuta.test/audit"

    /// The path of the keys that secrets are sealed with.
    package static func path() throws -> String { try secrets.get() }

    /// The path of the key that the log is signed with.
    package static func logKeyPath() throws -> String { try log.get().path }

    /// What verifies the log's signatures.
    package static func logVerifierKey() throws -> String { try log.get().verifierKey }

    /// The private key of the witness that every installation knows.
    package static func witness() throws -> String { try witnessKey.get().private }

    /// What verifies that witness's signatures.
    package static func witnessVerifierKey() throws -> String { try witnessKey.get().public }

    /// Writes a file of keys that only its owner can read.
    package static func write(_ content: String, named name: String) throws -> String {
        let url = Command.temporaryURL(name)
        let isMade = FileManager.default.createFile(
            atPath: url.path,
            contents: Data(content.utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard isMade else {
            throw TestSupportError(.noResources, "\(url.path) cannot be written.")
        }
        return url.path
    }

    private static let secrets = Result<String, any Error> {
        let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        return try write("tests \(key)\n", named: "secret.keys")
    }

    private static let witnessKey = Result<(private: String, public: String), any Error> {
        let signer = try NoteSigner.generate(name: "witness.test", kind: .log)
        return (signer.text, signer.cosigner.verifierKey.description)
    }

    private static let log = Result<(path: String, verifierKey: String), any Error> {
        let signer = try NoteSigner.generate(name: logName, kind: .log)
        return (try write(signer.text + "\n", named: "log.key"), signer.verifierKey.description)
    }
}
