package import JSON

/// Why a template has no value in a context.
package struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// The template's string whose expression failed.
    package let pointer: JSONPointer

    /// The expression as it was written, without its braces; empty where no single one is to blame.
    package let expression: String

    /// A sentence for people, without the place; it repeats names of the template and types, and never a value.
    package let message: String

    package var description: String {
        let place = pointer.text.isEmpty ? "" : "\(pointer.text): "
        return expression.isEmpty ? place + message : "\(place){{ \(expression) }}: \(message)"
    }

    init(_ failure: TemplateFailure, at pointer: JSONPointer, expression: String) {
        self.code = failure.code
        self.pointer = pointer
        self.expression = expression
        self.message = failure.message
    }
}

extension TemplateError {
    /// The stable name of an error.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// A path leads to nothing, or a list has no such element.
        package static let missingValue = Code(rawValue: "missing_value")
        /// There is no secret of this name.
        package static let missingSecret = Code(rawValue: "missing_secret")
        /// A function is given what it does not take.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// An argument has the right kind, and no meaning.
        package static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A text is no number.
        package static let invalidNumber = Code(rawValue: "invalid_number")
        /// A text is no JSON.
        package static let invalidJSON = Code(rawValue: "invalid_json")
        /// A value, or all of it together, has more bytes than the limit.
        package static let tooLarge = Code(rawValue: "too_large")
        /// What comes out would have more levels than the limit.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// All functions and look-ups together cost more than the limit.
        package static let tooCostly = Code(rawValue: "too_costly")
        /// A path is none that the context can have; ``Template/check(steps:)`` finds it earlier.
        package static let unknownReference = Code(rawValue: "unknown_reference")

        package var description: String { rawValue }

        /// The same template always fails in the same way in the same context.
        package var isRetryable: Bool { false }
    }
}

/// What failed, before it is known where.
struct TemplateFailure: Error {
    let code: TemplateError.Code
    let message: String

    init(_ code: TemplateError.Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
