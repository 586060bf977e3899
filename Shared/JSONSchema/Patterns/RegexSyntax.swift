/// A regular expression as it was written.
indirect enum RegexSyntax: Sendable {
    /// One character of a set.
    case scalars(ScalarSet)
    /// The beginning of the text.
    case start
    /// The end of the text.
    case end
    /// One after another; an empty one matches the empty text.
    case sequence([RegexSyntax])
    case alternatives([RegexSyntax])
    /// From so many times to so many, or to any number.
    case repeated(RegexSyntax, Int, Int?)
}

/// Why a text is no regular expression that can be matched in linear time.
struct RegexError: Error {
    enum Reason {
        case invalid
        case tooLarge
    }

    let reason: Reason

    /// A sentence for people.
    let message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    static let tooManyStates = RegexError(
        .tooLarge,
        "All patterns together have at most \(JSONSchemaLimits.maximumStates) states, with repetitions written out."
    )
}
