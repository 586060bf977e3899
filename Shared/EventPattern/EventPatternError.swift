package import JSON

/// Why a value is no event pattern: everything that is wrong with it.
package struct EventPatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The most faults that one error lists.
    package static let maximumFaults = 64

    /// The faults in the order of the document; never empty.
    package let faults: [Fault]

    /// The code of the first fault.
    package var code: Code { faults.first?.code ?? .notAnObject }

    /// A sentence for people on the first fault, and how many there are.
    package var message: String {
        guard let first = faults.first else { return "The value is no event pattern." }
        return faults.count == 1 ? first.description : "\(first.description) (the first of \(faults.count) faults)"
    }

    package var description: String { message }

    init(faults: [Fault]) { self.faults = faults }
}

extension EventPatternError {
    /// One thing that is wrong, and where.
    package struct Fault: Sendable, Hashable, CustomStringConvertible {
        package let code: Code

        /// The offending part of the pattern.
        package let pointer: JSONPointer

        /// A sentence for people.
        package let detail: String

        package var description: String { pointer.text.isEmpty ? detail : "\(pointer.text): \(detail)" }
    }

    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The pattern is no JSON object.
        package static let notAnObject = Code(rawValue: "not_an_object")
        /// An object without fields.
        package static let emptyObject = Code(rawValue: "empty_object")
        /// A list without values.
        package static let emptyList = Code(rawValue: "empty_list")
        /// A field is neither a list of values nor an object of fields.
        package static let notAList = Code(rawValue: "not_a_list")
        /// A list holds another list.
        package static let nestedList = Code(rawValue: "nested_list")
        /// An operator that does not exist, or not here.
        package static let unknownOperator = Code(rawValue: "unknown_operator")
        /// An operator's object has no member or more than one.
        package static let notOneOperator = Code(rawValue: "not_one_operator")
        /// An operand has a JSON type that its operator does not take.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// A list of `anything-but` has both texts and numbers.
        package static let mixedTypes = Code(rawValue: "mixed_types")
        /// An operand that must say something is an empty text.
        package static let emptyText = Code(rawValue: "empty_text")
        /// A wildcard has two `*` in a row, or an escape that does not exist.
        package static let invalidWildcard = Code(rawValue: "invalid_wildcard")
        /// `numeric` is not a comparison or a range.
        package static let invalidNumeric = Code(rawValue: "invalid_numeric")
        /// The bottom of a numeric range is not less than its top.
        package static let emptyRange = Code(rawValue: "empty_range")
        /// A number that no double stands for.
        package static let numberOutOfRange = Code(rawValue: "number_out_of_range")
        /// Not an address with the length of its prefix.
        package static let invalidCIDR = Code(rawValue: "invalid_cidr")
        /// `$or` is not a list of at least two objects.
        package static let invalidOr = Code(rawValue: "invalid_or")
        /// A field inside `$or` has the name of an operator.
        package static let reservedName = Code(rawValue: "reserved_name")
        /// More levels than ``EventPattern/maximumDepth``.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// More fields than ``EventPattern/maximumFields``.
        package static let tooManyFields = Code(rawValue: "too_many_fields")
        /// More values than ``EventPattern/maximumValues``.
        package static let tooManyValues = Code(rawValue: "too_many_values")
        /// More `*` than ``EventPattern/maximumWildcards``.
        package static let tooManyWildcards = Code(rawValue: "too_many_wildcards")
        /// More alternatives than ``EventPattern/maximumAlternatives``.
        package static let tooManyAlternatives = Code(rawValue: "too_many_alternatives")

        package var description: String { rawValue }

        /// The same pattern always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
