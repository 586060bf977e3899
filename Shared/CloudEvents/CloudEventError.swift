package import JSON

/// Why a value is no CloudEvent: everything that is wrong with it.
package struct CloudEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The faults in the order of the document or its header fields, then what is missing: 1 to 64.
    package let faults: [Fault]

    /// The code of the first fault.
    package var code: Code { faults.first?.code ?? .notAnObject }

    /// A sentence for people on the first fault, and how many there are.
    package var message: String {
        guard let first = faults.first else { return "The value is no CloudEvent." }
        return faults.count == 1 ? first.description : "\(first.description) (the first of \(faults.count) faults)"
    }

    package var description: String { message }

    init(faults: [Fault]) { self.faults = faults }
}

extension CloudEventError {
    /// One thing that is wrong, and where.
    package struct Fault: Sendable, Hashable, CustomStringConvertible {
        package let code: Code

        /// The offending member; the event itself where a member is missing or its name is too long to repeat.
        package let pointer: JSONPointer

        /// A sentence for people; it never repeats a value.
        package let detail: String

        package var description: String { pointer.text.isEmpty ? detail : "\(pointer.text): \(detail)" }
    }

    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The value is no JSON object.
        package static let notAnObject = Code(rawValue: "not_an_object")
        /// A required attribute is absent or null.
        package static let missing = Code(rawValue: "missing")
        /// An attribute has a JSON type that it cannot have.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// An attribute that must say something is an empty string.
        package static let empty = Code(rawValue: "empty")
        /// An attribute is longer than allowed.
        package static let tooLong = Code(rawValue: "too_long")
        /// The event follows another version of the specification.
        package static let unsupportedVersion = Code(rawValue: "unsupported_version")
        /// A name has more than lower-case letters and digits.
        package static let invalidName = Code(rawValue: "invalid_name")
        /// A string has a control character or a noncharacter.
        package static let forbiddenCharacter = Code(rawValue: "forbidden_character")
        /// A number is no whole number of 32 bits.
        package static let invalidInteger = Code(rawValue: "invalid_integer")
        /// A string is no URI, or no URI-reference.
        package static let invalidURI = Code(rawValue: "invalid_uri")
        /// A string is no media type.
        package static let invalidMediaType = Code(rawValue: "invalid_media_type")
        /// A string is no time of RFC 3339.
        package static let invalidTime = Code(rawValue: "invalid_time")
        /// A string is not base64.
        package static let invalidBase64 = Code(rawValue: "invalid_base64")
        /// The event has both `data` and `data_base64`.
        package static let conflictingData = Code(rawValue: "conflicting_data")
        /// A batch is no JSON array.
        package static let notAnArray = Code(rawValue: "not_an_array")
        /// A header field is not percent-encoded UTF-8.
        package static let invalidEncoding = Code(rawValue: "invalid_encoding")
        /// A header field stands where another one, or the body, says the same.
        package static let misplaced = Code(rawValue: "misplaced")
        /// A header field stands more than once.
        package static let repeated = Code(rawValue: "repeated")
        /// The body of an event in binary form is not the JSON that it should be.
        package static let invalidJSON = Code(rawValue: "invalid_json")

        package var description: String { rawValue }

        /// The same event always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
