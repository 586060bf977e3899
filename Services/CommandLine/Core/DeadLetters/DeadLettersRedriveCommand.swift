import ArgumentParser
import Foundation
import JSON
import NIOHTTP1

/// `batuta dead-letters redrive`: has messages processed after all.
struct DeadLettersRedriveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive",
        abstract: "Have letters processed as if they had just arrived.",
        discussion: """
            Mend the cause first. Letters are redriven one after the other, the oldest first; one that fails again waits \
            on, is named at the end, and does not stop the others.
            """
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The letters' service, where the letters are only ids; required with --all.")
    var service: String?

    @Flag(name: .long, help: "All letters of the service that wait when the command begins.")
    var all = false

    @Argument(help: "The letters: <service>/<id>.")
    var letters: [String] = []

    func validate() throws {
        guard all != !letters.isEmpty else {
            throw ValidationError("Name letters, or give --all with --service.")
        }
        guard !all || service != nil else {
            throw ValidationError("--all needs --service, such as --service engine.")
        }
        for letter in letters { _ = try DeadLetterName(letter, service: service) }
    }

    func run() async throws {
        let client = try gateway.client()
        try await failing {
            var names = try letters.map { try DeadLetterName($0, service: service) }
            if all, let service {
                let list = DeadLetterList(client: client, service: service, state: "waiting")
                names = try await list.read(limit: .max).letters.reversed().compactMap { letter in
                    letter["id"]?.stringValue.map { DeadLetterName(service: service, id: $0) }
                }
            }
            try await DeadLetterWork(client: client, verb: "redrive", done: "redriven").perform(names)
        }
    }
}

/// `batuta dead-letters discard`: records that messages are not to be processed.
struct DeadLettersDiscardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Record that letters are not to be processed, and why.",
        discussion: "Nothing is deleted: a discarded letter is still listed with --state discarded, and shown."
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The letters' service, where the letters are only ids.")
    var service: String?

    @Option(name: .long, help: "Why, for whoever reads the audit log.")
    var reason: String

    @Argument(help: "The letters: <service>/<id>.")
    var letters: [String]

    func validate() throws {
        guard !reason.isEmpty else {
            throw ValidationError("--reason says why.")
        }
        for letter in letters { _ = try DeadLetterName(letter, service: service) }
    }

    func run() async throws {
        let client = try gateway.client()
        try await failing {
            let names = try letters.map { try DeadLetterName($0, service: service) }
            let body: JSONValue = ["reason": .string(reason)]
            try await DeadLetterWork(client: client, verb: "discard", done: "discarded", body: body).perform(names)
        }
    }
}

/// Does one thing to many letters, saying how far it has come and what has failed.
struct DeadLetterWork: Sendable {
    let client: GatewayClient
    /// What is done, as the path has it.
    let verb: String
    /// What a letter is afterwards.
    let done: String
    var body: JSONValue?

    /// Goes through the letters.
    ///
    /// - Throws: `CommandLineError` with every failure, retryable where each of them may pass.
    func perform(_ names: [DeadLetterName]) async throws(CommandLineError) {
        guard !names.isEmpty else {
            return print("There are no letters.")
        }
        var failures: [(name: DeadLetterName, error: CommandLineError)] = []
        for (number, name) in names.enumerated() {
            do {
                _ = try await client.json(.POST, "\(name.path)/\(verb)", body: body)
                print("\(number + 1) of \(names.count)  \(done)  \(name.text)")
            } catch {
                failures.append((name, error))
                print("\(number + 1) of \(names.count)  failed  \(name.text)")
            }
        }
        guard !failures.isEmpty else {
            return
        }
        let lines = failures.map { "  \($0.name.text): \($0.error.message)" }
        throw CommandLineError(
            failures.allSatisfy(\.error.isRetryable) ? .unreachable : .answer,
            "\(failures.count) of \(names.count) letters could not be \(done):\n\(lines.joined(separator: "\n"))"
        )
    }
}
