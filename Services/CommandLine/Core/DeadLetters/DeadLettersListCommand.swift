import ArgumentParser
import Foundation
import JSON
import NIOHTTP1

/// `batuta dead-letters list`: the newest first, one to a line.
struct DeadLettersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List letters, the newest first.")

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "Only those of this service, such as engine or audit.")
    var service: String?

    @Option(name: .long, help: "waiting, redriven or discarded.")
    var state = "waiting"

    @Option(name: .long, help: "How many at most.")
    var limit = 50

    func validate() throws {
        guard limit > 0 else {
            throw ValidationError("--limit is at least 1.")
        }
    }

    func run() async throws {
        let letters = DeadLetterList(client: try gateway.client(), service: service, state: state)
        try await failing {
            let (found, isWhole) = try await letters.read(limit: limit)
            for letter in found { print(Self.line(letter)) }
            if !isWhole { print("There are more: raise --limit.") }
            if found.isEmpty { print("There are no \(state) letters.") }
        }
    }

    /// A letter on one line: its name, when it came, what it is, and why it could not be processed.
    static func line(_ letter: JSONValue) -> String {
        func text(_ name: String) -> String { letter[name]?.stringValue ?? "-" }
        let reason = text("reason").split(whereSeparator: \.isNewline).first.map(String.init) ?? "-"
        let name = "\(text("service"))/\(text("id"))"
        return [name, text("received_at"), text("message_type"), String(reason.prefix(120))].joined(separator: "  ")
    }
}

/// `batuta dead-letters show`: one letter, whole.
struct DeadLettersShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print one letter with its properties, headers and body, as JSON."
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The letter's service, where the letter is only an id.")
    var service: String?

    @Argument(help: "The letter: <service>/<id>.")
    var letter: String

    func run() async throws {
        let name = try DeadLetterName(letter, service: service)
        let client = try gateway.client()
        try await failing {
            let answer = try await client.ask(.GET, name.path)
            guard answer.isSuccess else {
                throw GatewayClient.refusal(answer.status, try? JSONValue(parsing: answer.body))
            }
            StandardStream.output.write(answer.body + [UInt8(ascii: "\n")])
        }
    }
}

/// Reads a list of letters, page by page.
struct DeadLetterList: Sendable {
    let client: GatewayClient
    let service: String?
    let state: String

    private static let page = 200

    /// The newest letters, and whether these are all.
    func read(limit: Int) async throws(CommandLineError) -> (letters: [JSONValue], isWhole: Bool) {
        var letters: [JSONValue] = []
        var cursor: String?
        repeat {
            var query = [
                URLQueryItem(name: "state", value: state),
                URLQueryItem(name: "limit", value: "\(min(Self.page, limit - letters.count))"),
            ]
            if let service { query.append(URLQueryItem(name: "service", value: service)) }
            if let cursor { query.append(URLQueryItem(name: "cursor", value: cursor)) }
            let page = try await client.json(.GET, "/admin/api/dead-letters", query: query)
            letters += page["items"]?.arrayValue ?? []
            cursor = page["next"]?.stringValue
        } while cursor != nil && letters.count < limit
        return (letters, cursor == nil)
    }
}

/// Runs the body of a command, and makes of its error a sentence and an exit code.
func failing(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as CommandLineError {
        StandardStream.error.writeLine("Error: \(error.message)")
        throw ExitCode(error.exitCode)
    }
}
