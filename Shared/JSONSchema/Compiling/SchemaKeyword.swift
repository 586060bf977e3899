/// The keywords that are supported.
enum SchemaKeyword: String, Sendable, CaseIterable {
    case ref = "$ref"
    case definitions = "$defs"
    case dialect = "$schema"
    case identifier = "$id"
    case comment = "$comment"

    case title
    case description
    case defaultValue = "default"
    case examples
    case deprecated
    case readOnly
    case writeOnly
    case contentEncoding
    case contentMediaType
    case personal = "x-personal"

    case type
    case enumeration = "enum"
    case const

    case minimum
    case maximum
    case exclusiveMinimum
    case exclusiveMaximum
    case multipleOf

    case minLength
    case maxLength
    case pattern
    case format

    case items
    case prefixItems
    case contains
    case minContains
    case maxContains
    case minItems
    case maxItems
    case uniqueItems

    case properties
    case patternProperties
    case additionalProperties
    case propertyNames
    case required
    case dependentRequired
    case dependentSchemas
    case minProperties
    case maxProperties

    case allOf
    case anyOf
    case oneOf
    case not
    case ifSchema = "if"
    case thenSchema = "then"
    case elseSchema = "else"

    /// The URI of the one dialect.
    static let dialectURI = "https://json-schema.org/draft/2020-12/schema"

    /// Keywords of JSON Schema that are refused, each with what may be done instead.
    static let unsupported: [String: String] = [
        "$anchor": "references lead to # or #/$defs/name",
        "$dynamicAnchor": "references lead to # or #/$defs/name",
        "$dynamicRef": "use $ref with # or #/$defs/name",
        "$recursiveAnchor": "references lead to # or #/$defs/name",
        "$recursiveRef": "use $ref with #",
        "$vocabulary": "only the standard's own vocabularies are known",
        "additionalItems": "use items behind prefixItems",
        "contentSchema": "a string's content is not read",
        "definitions": "use $defs",
        "dependencies": "use dependentRequired or dependentSchemas",
        "id": "use $id, at the top",
        "unevaluatedItems": "use items",
        "unevaluatedProperties": "use additionalProperties",
    ]
}
