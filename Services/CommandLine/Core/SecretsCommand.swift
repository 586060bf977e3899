package import ArgumentParser
import Secrets

/// `batuta secrets`: the keys that secrets are sealed with.
package struct SecretsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "secrets",
        abstract: "Make the keys that secrets are sealed with.",
        subcommands: [SecretsKeygenCommand.self]
    )

    package init() {}
}

/// `batuta secrets keygen`: makes a key file.
struct SecretsKeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a file with a new key, readable to its owner only.",
        discussion: """
            BATUTA_SECRET_KEYS_FILE names the file for api-gateway and automation-engine; every replica needs the same. \
            Keep a copy apart from the database's backups: without its key a secret cannot be opened.
            """
    )

    @Option(name: .long, help: "What the key is called: a-z, 0-9, \".\", \"_\" and \"-\", 32 characters at most.")
    var id = "key-1"

    @Option(name: .long, help: "Where the file is made; it must not exist.")
    var output: String

    func run() throws {
        let key: Secret
        do {
            key = try SecretKeyRing.generate(id: id)
        } catch {
            throw CommandLineError(.passwords, error.message)
        }
        let file = try FinishedFile(output)
        try file.write(key)
        try file.finish()
        print("\(output) holds the key \(id). Name it in BATUTA_SECRET_KEYS_FILE.")
    }
}
