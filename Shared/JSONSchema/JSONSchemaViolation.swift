package import JSON

/// One thing about a value that its schema does not allow.
package struct JSONSchemaViolation: Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// The offending value; a container around it where the pointer would be longer than
    /// ``JSONSchemaLimits/maximumPointerBytes``.
    package let pointer: JSONPointer

    /// The schema's keyword that does not allow it.
    package let keyword: String

    /// A sentence for people that says what was expected, and never repeats anything of the value.
    package let message: String

    package var description: String { pointer.text.isEmpty ? message : "\(pointer.text): \(message)" }

    init(_ code: Code, at pointer: JSONPointer, keyword: String, _ message: String) {
        self.code = code
        self.pointer = pointer
        self.keyword = keyword
        self.message = message
    }
}

extension JSONSchemaViolation {
    /// The stable name of a violation.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The value has another JSON type: `type`.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// The value is none of those listed: `enum`, `const`.
        package static let wrongValue = Code(rawValue: "wrong_value")
        /// A number is below its bound: `minimum`, `exclusiveMinimum`.
        package static let tooSmall = Code(rawValue: "too_small")
        /// A number is above its bound: `maximum`, `exclusiveMaximum`.
        package static let tooLarge = Code(rawValue: "too_large")
        /// A number is no multiple: `multipleOf`.
        package static let notAMultiple = Code(rawValue: "not_a_multiple")
        /// A string has too few characters: `minLength`.
        package static let tooShort = Code(rawValue: "too_short")
        /// A string has too many characters: `maxLength`.
        package static let tooLong = Code(rawValue: "too_long")
        /// A string does not match: `pattern`.
        package static let patternMismatch = Code(rawValue: "pattern_mismatch")
        /// A string is not written as its format demands: `format`.
        package static let invalidFormat = Code(rawValue: "invalid_format")
        /// Too few elements or members: `minItems`, `minProperties`, `contains`, `minContains`.
        package static let tooFew = Code(rawValue: "too_few")
        /// Too many elements or members: `maxItems`, `maxProperties`, `maxContains`.
        package static let tooMany = Code(rawValue: "too_many")
        /// An element is equal to an earlier one: `uniqueItems`.
        package static let notUnique = Code(rawValue: "not_unique")
        /// A member that must be there is not: `required`, `dependentRequired`.
        package static let missingMember = Code(rawValue: "missing_member")
        /// A member that may not be there is: `additionalProperties` and others with the schema `false`.
        package static let unexpectedMember = Code(rawValue: "unexpected_member")
        /// Nothing may stand here: the schema `false`.
        package static let notAllowed = Code(rawValue: "not_allowed")
        /// None of several alternatives, or more than the one allowed: `anyOf`, `oneOf`.
        package static let noAlternative = Code(rawValue: "no_alternative")
        /// The value is what it may not be: `not`.
        package static let excluded = Code(rawValue: "excluded")
        /// Holding the value against the schema takes more than ``JSONSchemaLimits`` allow, so nothing is known of it.
        package static let tooComplex = Code(rawValue: "too_complex")

        package var description: String { rawValue }

        /// The same value always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
