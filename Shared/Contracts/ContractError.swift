/// Why a message cannot be understood.
package struct ContractError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong; none of these passes by itself.
    package enum Code: String, Sendable {
        /// Nobody here knows messages of this type.
        case unknownType
        /// The type is known, but not in this version.
        case unknownVersion
        /// The body is not what the contract says.
        case badBody
        /// A property or header is missing or not what it should be.
        case badHeader
        /// A value of our own cannot be written as JSON.
        case unwritable
    }

    package let code: Code
    /// A sentence for operators; it repeats no value out of the message.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same message can be understood later, by the same release: never.
    package var isRetryable: Bool { false }

    package var description: String { "\(code.rawValue): \(message)" }
}
