package import JSON

/// Why a value is no schema: everything that is wrong with it.
package struct JSONSchemaFaults: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many faults are collected at most.
    package static let maximumCount = 64

    /// The faults in the order of the document; never empty, and never more than 64.
    package let faults: [JSONSchemaFault]

    /// A sentence for people on the first fault, and how many there are.
    package var message: String {
        guard let first = faults.first else { return "The value is no schema." }
        return faults.count == 1 ? first.description : "\(first.description) (the first of \(faults.count) faults)"
    }

    package var description: String { message }

    init(_ faults: [JSONSchemaFault]) { self.faults = faults }
}

/// One thing that is wrong with a schema, and where.
package struct JSONSchemaFault: Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// The offending part of the schema; a container around it where the pointer would be longer than
    /// ``JSONSchemaLimits/maximumPointerBytes``.
    package let pointer: JSONPointer

    /// A sentence for people, without the place.
    package let message: String

    package var description: String { pointer.text.isEmpty ? message : "\(pointer.text): \(message)" }

    init(_ code: Code, at pointer: JSONPointer, _ message: String) {
        self.code = code
        self.pointer = pointer
        self.message = message
    }
}

extension JSONSchemaFault {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// A keyword's value, or a schema, has a JSON type that it cannot have.
        package static let invalidType = Code(rawValue: "invalid_type")
        /// A keyword's value has the right type, and no meaning.
        package static let invalidValue = Code(rawValue: "invalid_value")
        /// A regular expression is none, or has a construct that takes more than linear time.
        package static let invalidPattern = Code(rawValue: "invalid_pattern")
        /// A keyword of JSON Schema that is not supported, or not here.
        package static let unsupportedKeyword = Code(rawValue: "unsupported_keyword")
        /// A keyword's value that JSON Schema allows, and that is not supported.
        package static let unsupportedValue = Code(rawValue: "unsupported_value")
        /// No keyword of JSON Schema.
        package static let unknownKeyword = Code(rawValue: "unknown_keyword")
        /// A keyword that means nothing without another one, which is not there.
        package static let withoutEffect = Code(rawValue: "without_effect")
        /// A reference to a definition that is not there.
        package static let unresolvedReference = Code(rawValue: "unresolved_reference")
        /// A reference that leads back to its own schema without going deeper into the value.
        package static let endlessReference = Code(rawValue: "endless_reference")
        /// More levels than the limit.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// More bytes, subschemas, values, names or states than the limit.
        package static let tooLarge = Code(rawValue: "too_large")

        package var description: String { rawValue }

        /// The same schema always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
