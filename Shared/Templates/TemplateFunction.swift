import JSON

/// The functions of the language; each is total: it gives a value or a failure, in time bounded by what it reads and
/// writes.
enum TemplateFunction: String, CaseIterable, Sendable {
    case `default`
    case upper
    case lower
    case trim
    case length
    case join
    case split
    case first
    case last
    case replace
    case json
    case parseJSON = "parse_json"
    case string
    case number
    case base64
    case sha256
    case urlEncode = "url_encode"

    /// The kinds of value that it takes.
    var accepts: TemplateKinds {
        switch self {
        case .default, .json, .string: .any
        case .upper, .lower, .trim, .split, .replace, .parseJSON, .base64, .sha256, .urlEncode: .string
        case .length: [.string, .array, .object]
        case .join, .first, .last: .array
        case .number: [.string, .number]
        }
    }

    /// The kinds of value that it gives for those of its input.
    func gives(for input: TemplateKinds, _ arguments: [TemplateExpression.Operand]) -> TemplateKinds {
        switch self {
        case .default: arguments.reduce(input.subtracting(.null)) { $0.union($1.kinds) }
        case .upper, .lower, .trim, .join, .replace, .json, .string, .base64, .sha256, .urlEncode: .string
        case .length, .number: .number
        case .split: .array
        case .first, .last, .parseJSON: .any
        }
    }

    /// What each of its arguments must be.
    var parameters: [TemplateKinds] {
        switch self {
        case .default: [.any]
        case .join, .split: [.string]
        case .replace: [.string, .string]
        case .upper, .lower, .trim, .length, .first, .last, .json, .parseJSON, .string, .number, .base64, .sha256,
            .urlEncode:
            []
        }
    }

    /// All names, for a sentence.
    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// The failure of being given a kind of value that it does not take.
    func refusal(of kinds: String) -> TemplateFailure {
        TemplateFailure(.wrongType, "\(rawValue) takes \(accepts.names), not \(kinds).")
    }

    /// The failure of an argument of the wrong kind.
    func refusal(ofArgument position: Int, _ kinds: String) -> TemplateFailure {
        let place = parameters.count > 1 ? "Argument \(position + 1)" : "The argument"
        let taken = position < parameters.count ? parameters[position].names : "nothing"
        return TemplateFailure(.wrongType, "\(place) of \(rawValue) is \(taken), not \(kinds).")
    }
}
