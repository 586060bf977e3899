/// What a schema may have, and what it may cost to hold a value against it.
package enum JSONSchemaLimits {
    /// Bytes of a schema's text.
    package static let maximumBytes = 256 << 10

    /// Subschemas, those under `$defs` included.
    package static let maximumSubschemas = 2000

    /// Subschemas within one another, and subschemas that apply to one place of a value through one another.
    package static let maximumDepth = 32

    /// Values of one `enum`, and names of one list of names.
    package static let maximumValues = 1000

    /// Bytes of UTF-8 of one regular expression.
    package static let maximumPatternBytes = 1024

    /// States of all regular expressions of a schema together, with repetitions written out.
    package static let maximumStates = 20_000

    /// The number of digits of `multipleOf`, without zeros at either end.
    package static let maximumDivisorDigits = 18

    /// Steps of holding one value against a schema: about one for every keyword, member, element, character or state
    /// of a regular expression that is looked at.
    package static let maximumSteps = 4 << 20

    /// Subschemas that are being applied at one time while a value is held against a schema.
    package static let maximumNesting = 512

    /// The bytes of the pointer of a fault or violation; beyond it the pointer ends at a container further out.
    package static let maximumPointerBytes = 1024
}
