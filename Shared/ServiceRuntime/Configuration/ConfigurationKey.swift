/// What the schema needs to know of a key, whatever the type of its value.
package protocol ConfigurationDeclaration: Sendable {
    /// The environment variable, such as `BATUTA_DRAIN_TIMEOUT`.
    var name: String { get }
    /// The kind of the value in one word, for the listing.
    var kind: String { get }
    /// What is accepted, as a phrase that ends a sentence.
    var accepted: String { get }
    /// What the key is for, in one line.
    var help: String { get }
    /// The value that counts where the variable is unset, as it would be written.
    var defaultText: String? { get }
    /// Whether the start stops where the variable is unset.
    var isRequired: Bool { get }
    /// Whether the value is never shown, and may be read from the file named in `<name>_FILE`.
    var isSecret: Bool { get }

    /// Reads the text of the variable; `nil` stands for unset.
    func interpret(_ text: String?) throws(InvalidValue) -> any Sendable
    /// The text as it may be shown in a log.
    func display(_ text: String) -> String
    /// The text as it may be quoted in a fault, where quoting it is safe.
    func quotation(_ text: String) -> String?
}

/// A text that is no value of its key's kind.
package struct InvalidValue: Error, Sendable, Equatable {
    /// What is wrong, as a phrase.
    package let reason: String

    /// Makes the error.
    package init(_ reason: String) {
        self.reason = reason
    }
}

/// A typed declaration of one configuration variable.
///
/// A service declares each of its keys once, lists them in its ``ServiceDefinition`` and reads the values by the same
/// declaration: `configuration[ExampleKeys.batchSize]`.
package struct ConfigurationKey<Value: Sendable>: ConfigurationDeclaration {
    package let name: String
    package let kind: String
    package let accepted: String
    package let help: String
    package let defaultText: String?
    package let isSecret: Bool
    /// What stands for an unset variable that has no default; `nil` makes the key a required one.
    let absent: Value?
    /// How much of a value may be shown.
    let exposure: ValueExposure
    /// Reads a text.
    let parse: @Sendable (String) throws(InvalidValue) -> Value

    package var isRequired: Bool { defaultText == nil && absent == nil }

    package func interpret(_ text: String?) throws(InvalidValue) -> any Sendable {
        if let text = text ?? defaultText { return ConfigurationValue(value: try parse(text)) }
        guard let absent else { throw InvalidValue("is not set") }
        return ConfigurationValue(value: absent)
    }

    package func display(_ text: String) -> String {
        switch exposure {
        case .hidden: RedactedText.redaction
        case .withoutUserInformation: URLText.withoutUserInformation(text)
        case .shown: text
        }
    }

    package func quotation(_ text: String) -> String? {
        switch exposure {
        case .hidden, .withoutUserInformation: nil
        case .shown: "\"\(text.prefix(80))\(text.count > 80 ? "…" : "")\""
        }
    }

    /// The same key, whose value is `nil` where the variable is unset.
    package var optional: ConfigurationKey<Value?> {
        let parse = parse
        return ConfigurationKey<Value?>(
            name: name,
            kind: kind,
            accepted: accepted,
            help: help,
            defaultText: nil,
            isSecret: isSecret,
            absent: .some(.none),
            exposure: exposure,
            parse: { text throws(InvalidValue) -> Value? in try parse(text) }
        )
    }
}

/// How much of a value may be shown in logs and faults.
enum ValueExposure: Sendable {
    /// All of it.
    case shown
    /// A URL without its user and password.
    case withoutUserInformation
    /// Nothing.
    case hidden
}

/// Holds a value of a key, so that an optional one survives the erasure of its type.
struct ConfigurationValue<Value: Sendable>: Sendable {
    let value: Value
}
