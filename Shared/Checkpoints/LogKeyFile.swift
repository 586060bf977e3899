package import MerkleLog
import Secrets

/// The file of the private keys that a log, or a witness, signs with.
///
/// One key a line, in the form of `PRIVATE+KEY+<name>+<key id>+<base64>`; empty lines and lines that begin with `#` do not
/// count. The first key is the one in use; while it is being replaced, the one before stands below it and signs, too.
package struct LogKeyFile: Sendable {
    /// How many keys a file may hold.
    package static let maximumKeys = 4

    /// At least one; all of one name.
    package let signers: [NoteSigner]

    /// The name of the keys, which is the origin of the log.
    package var name: String { signers[0].name }

    /// The keys under the name of the log that the database holds, nil for one that was never signed.
    ///
    /// Throws ``CheckpointError`` where the keys are another log's.
    package func signers(of origin: String?) throws(CheckpointError) -> [NoteSigner] {
        guard let origin, origin != name else {
            return signers
        }
        guard LogName.isLife(origin, of: name) else {
            throw CheckpointError(
                .keyFile,
                "the database holds the log \(origin), and the key file is that of \(name); put the right key file or "
                    + "database back"
            )
        }
        do {
            return try signers.map { signer throws(MerkleLogError) in try signer.renamed(origin) }
        } catch {
            throw CheckpointError(.keyFile, error.message)
        }
    }

    /// Reads a file that only its owner can read.
    ///
    /// - Throws: ``CheckpointError`` with a sentence that says what to do; it repeats nothing of the content.
    package init(path: String) throws(CheckpointError) {
        let content: Secret
        do {
            content = try KeyFile.read(path)
        } catch {
            throw CheckpointError(
                .keyFile,
                "\(path): \(error.message) Put the file of the log's keys there; `batuta audit key new` makes that of a new log."
            )
        }
        try self.init(content: content.withUnsafeBytes { Array($0) }, path: path)
    }

    init(content: [UInt8], path: String) throws(CheckpointError) {
        var signers: [NoteSigner] = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let first = line.first, first != UInt8(ascii: "#") else {
                continue
            }
            do {
                signers.append(try NoteSigner(parsing: String(decoding: line, as: UTF8.self)))
            } catch {
                throw CheckpointError(
                    .keyFile,
                    "\(path) holds no key of a log in line \(number + 1); `batuta audit key new` makes such a file"
                )
            }
        }
        guard signers.allSatisfy({ $0.kind == .log }) else {
            throw CheckpointError(.keyFile, "\(path) holds a key that is not one of a log")
        }
        guard let first = signers.first, signers.count <= Self.maximumKeys else {
            throw CheckpointError(
                .keyFile,
                "\(path) must hold 1 to \(Self.maximumKeys) keys, one a line; `batuta audit key new` makes such a file"
            )
        }
        guard signers.allSatisfy({ $0.name == first.name }) else {
            throw CheckpointError(.keyFile, "the keys in \(path) have different names; all must have that of the log")
        }
        guard Set(signers.map(\.verifierKey)).count == signers.count else {
            throw CheckpointError(.keyFile, "\(path) holds a key twice; take one of the lines out")
        }
        self.signers = signers
    }
}
