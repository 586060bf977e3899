package import JSON

/// Why a value is no template: everything that is wrong with it.
package struct TemplateFaults: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many faults are collected at most.
    static let maximumCount = 64

    /// The faults in the order of the value; never empty, and never more than 64.
    package let faults: [TemplateFault]

    /// A sentence for people on the first fault, and how many there are.
    package var message: String {
        guard let first = faults.first else { return "The value is no template." }
        return faults.count == 1 ? first.description : "\(first.description) (the first of \(faults.count) faults)"
    }

    package var description: String { message }

    init(_ faults: [TemplateFault]) { self.faults = faults }
}

/// One thing that is wrong with a template, and where.
package struct TemplateFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// The offending value, mostly a string.
    package let pointer: JSONPointer

    /// The place in that string, in Unicode code points from 1; nil where the fault is in no string.
    package let column: Int?

    /// A sentence for people, without the place.
    package let message: String

    package var description: String {
        let place = column.map { "\(pointer.text), column \($0)" } ?? pointer.text
        return place.isEmpty ? message : "\(place): \(message)"
    }

    /// Makes a fault, also for what only a caller can check.
    package init(_ code: Code, at pointer: JSONPointer, column: Int?, _ message: String) {
        self.code = code
        self.pointer = pointer
        self.column = column
        self.message = message
    }
}

extension TemplateFault {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// `{{` has no `}}` after it.
        package static let unclosedExpression = Code(rawValue: "unclosed_expression")
        /// Nothing stands between `{{` and `}}`.
        package static let emptyExpression = Code(rawValue: "empty_expression")
        /// A character cannot stand where it stands.
        package static let unexpectedCharacter = Code(rawValue: "unexpected_character")
        /// A quoted text has no closing quote.
        package static let unclosedText = Code(rawValue: "unclosed_text")
        /// A backslash is followed by something that the language does not know.
        package static let invalidEscape = Code(rawValue: "invalid_escape")
        /// A number is not written as JSON demands, or an index is out of all bounds.
        package static let invalidNumber = Code(rawValue: "invalid_number")
        /// There is no such function.
        package static let unknownFunction = Code(rawValue: "unknown_function")
        /// A function has more or fewer arguments than it takes.
        package static let argumentCount = Code(rawValue: "argument_count")
        /// An argument has the right kind, and no meaning.
        package static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A function is given what it never takes.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// A text is no JSON.
        package static let invalidJSON = Code(rawValue: "invalid_json")
        /// A constant expression has no value.
        package static let missingValue = Code(rawValue: "missing_value")
        /// All constant expressions together cost more than the limit.
        package static let tooCostly = Code(rawValue: "too_costly")
        /// A secret's name has other characters than it may have, or too many.
        package static let invalidSecretName = Code(rawValue: "invalid_secret_name")
        /// A secret is given to a function.
        package static let secretMisused = Code(rawValue: "secret_misused")
        /// More bytes than the limit.
        package static let tooLarge = Code(rawValue: "too_large")
        /// More levels than the limit.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// An expression, a path or a chain of functions is longer than the limit.
        package static let tooLong = Code(rawValue: "too_long")
        /// More expressions than the limit.
        package static let tooManyExpressions = Code(rawValue: "too_many_expressions")
        /// A path begins with a name that the context does not have.
        package static let unknownRoot = Code(rawValue: "unknown_root")
        /// A path names a member that its root never has.
        package static let unknownMember = Code(rawValue: "unknown_member")
        /// A path names no step, or none that comes earlier.
        package static let unknownStep = Code(rawValue: "unknown_step")
        /// A path ends before it names a value.
        package static let incompletePath = Code(rawValue: "incomplete_path")

        package var description: String { rawValue }

        /// The same template always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
