import ArgumentParser
import Checkpoints
import MerkleLog

/// `batuta audit key`: the keys that the log, or a witness, signs with.
struct AuditKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make and show the keys that the audit log is signed with.",
        subcommands: [AuditKeyNewCommand.self, AuditKeyShowCommand.self]
    )
}

/// `batuta audit key new`: makes a key file.
struct AuditKeyNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a file with a new key, readable to its owner only, and print the key that verifies it.",
        discussion: """
            BATUTA_AUDIT_KEY_FILE names the file for audit-writer; every replica needs the same. The printed key is what \
            auditors get: it verifies the log and signs nothing. Keep a copy of the file apart from the database. A witness \
            signs with such a file of its own.

            Example:
              batuta audit key new --name example.com/audit --output /etc/batuta/audit.key
            """
    )

    @Option(name: .long, help: "What the log is called for good, such as example.com/audit: no spaces, no \"+\".")
    var name: String

    @Option(name: .long, help: "Where the file is made; it must not exist.")
    var output: String

    func run() throws {
        guard Checkpoint.isOrigin(name) else {
            throw ValidationError("\(name) cannot be the name of a log: printable ASCII without spaces and \"+\".")
        }
        let signer: NoteSigner
        do {
            signer = try NoteSigner.generate(name: name, kind: .log)
        } catch {
            throw ValidationError(error.message)
        }
        let file = try FinishedFile(output)
        try file.write(Array("\(signer.text)\n".utf8)[...])
        try file.finish()
        StandardStream.output.writeLine(signer.verifierKey.description)
        StandardStream.error.writeLine(
            "\(output) holds the key of \(name). Name the file in BATUTA_AUDIT_KEY_FILE, or to `batuta audit witness`."
        )
    }
}

/// `batuta audit key show`: prints the public halves of a key file.
struct AuditKeyShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the keys that verify what a key file signs.",
        discussion: """
            One line a key, for `batuta audit verify --key`. A log that went on under another name after a restore is named \
            with --name.
            """
    )

    @Argument(help: "The key file.")
    var file: String

    @Option(name: .long, help: "The name of the log, where it is a later one: example.com/audit/1795258800.")
    var name: String?

    @Flag(name: .long, help: "Print the keys of a witness, whose signatures say when they were made.")
    var witness = false

    func run() throws {
        do {
            for signer in try LogKeyFile(path: file).signers(of: name) {
                let key = witness ? signer.cosigner.verifierKey : signer.verifierKey
                StandardStream.output.writeLine(key.description)
            }
        } catch {
            throw CommandLineError(.file, error.message)
        }
    }
}
