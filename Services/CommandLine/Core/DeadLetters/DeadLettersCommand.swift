package import ArgumentParser

/// `batuta dead-letters`: messages that a service could not process.
package struct DeadLettersCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Look at messages that a service could not process, and redrive or discard them.",
        discussion: """
            A letter is named as `list` shows it: its service, a slash, and its id. Redriving has the message processed as \
            if it had just arrived, which does nothing twice; the letter waits on where that fails again.

            The exit code is 0 when everything was done, 1 when something was refused, and 75 when the gateway or a \
            service could not be reached: the same command may then be given again.
            """,
        subcommands: [
            DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersRedriveCommand.self,
            DeadLettersDiscardCommand.self,
        ]
    )

    package init() {}
}

/// The name of a dead letter: its service and its id.
struct DeadLetterName: Equatable, Sendable {
    let service: String
    let id: String

    /// Where the gateway's API has it.
    var path: String { "/admin/api/dead-letters/\(service)/\(id)" }
    var text: String { "\(service)/\(id)" }

    init(service: String, id: String) {
        self.service = service
        self.id = id
    }

    /// Reads `service/id`, or an id alone where the service is given elsewhere.
    ///
    /// - Throws: `ValidationError` that says how a letter is named.
    init(_ text: String, service: String?) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch (parts.count, service) {
        case (2, nil) where parts.allSatisfy(Self.isWord):
            self.init(service: parts[0], id: parts[1])
        case (2, let service?) where parts[0] == service && Self.isWord(parts[1]):
            self.init(service: service, id: parts[1])
        case (1, let service?) where Self.isWord(parts[0]):
            self.init(service: service, id: parts[0])
        default:
            throw ValidationError("\(text) is no letter: name it like engine/<id>, or its id with --service engine.")
        }
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (0x30...0x39).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}
