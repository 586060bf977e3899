import JSON

/// The JSON Schema (2020-12) of an automation, for editors and for those who write files.
///
/// What it takes is nearly what `DefinitionReader` takes; names that stand twice, references to later steps and the inside
/// of event patterns and templates are the reader's to judge.
enum DefinitionSchema {
    /// The schema of a file of `batuta apply`, and of the body of a creation.
    static func automation(_ registry: ActionRegistry) -> JSONValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Automation",
            "type": "object",
            "properties": [
                "automation_key": [
                    "type": "string", "pattern": "^[a-z][a-z0-9._-]{0,99}$",
                    "description": "Unique in the tenant; never changed, never used again.",
                ],
                "name": ["type": "string", "minLength": 1, "maxLength": 200],
                "description": ["type": ["string", "null"], "maxLength": 10_000],
                "status": [
                    "enum": ["draft", "active", "deprecated"],
                    "description": "In files of batuta apply: active or deprecated. A creation takes draft alone.",
                ],
                "definition": ["$ref": "#/$defs/definition"],
            ],
            "required": ["automation_key", "name", "definition"],
            "additionalProperties": false,
            "$defs": [
                "definition": definition,
                "step": step(registry),
                "duration": ["type": "string", "pattern": "^[0-9]{1,12}(ms|s|m|h|d)$"],
            ],
        ]
    }

    private static let definition: JSONValue = [
        "type": "object",
        "properties": [
            "trigger": [
                "type": "object",
                "properties": [
                    "signalType": [
                        "type": "string", "minLength": 1, "maxLength": 255,
                        "description": "A type, or a family such as orders.*",
                    ],
                    "filter": ["type": "object", "description": "An event pattern over the whole event."],
                ],
                "required": ["signalType"],
                "additionalProperties": false,
            ],
            "steps": steps,
            "branches": [
                "type": "object",
                "description": "What is executed in the place of the rest when a step that names it has failed.",
                "maxProperties": .number(Int64(DefinitionReader.maximumBranches)),
                "propertyNames": ["pattern": .string(stepName)],
                "additionalProperties": [
                    "type": "object",
                    "properties": [
                        "steps": steps,
                        "then": [
                            "enum": ["fail", "succeed"], "default": "fail",
                            "description": "How the run ends when the steps of the branch have succeeded.",
                        ],
                    ],
                    "required": ["steps"],
                    "additionalProperties": false,
                ],
            ],
            "concurrency": concurrency,
            "rate_limit": rate,
            "dedupe": dedupe,
        ],
        "required": ["trigger", "steps"],
        "additionalProperties": false,
    ]

    private static let steps: JSONValue = [
        "type": "array", "minItems": 1, "maxItems": .number(Int64(DefinitionReader.maximumSteps)),
        "items": ["$ref": "#/$defs/step"],
    ]

    private static let stepName = "^[a-z][a-z0-9_-]{0,62}$"

    private static let forEach: JSONValue = [
        "type": "object",
        "description": "The step is executed once for each item, which its input reads as item and index.",
        "properties": [
            "items": [
                "description": "An array, or a template that becomes one.",
                "anyOf": [["type": "array"], ["type": "string", "pattern": #"\{\{"#]],
            ],
            "concurrency": ["type": "integer", "minimum": 1, "maximum": .number(DefinitionReader.maximumConcurrency)],
            "max_items": ["type": "integer", "minimum": 1, "maximum": .number(DefinitionReader.maximumItems)],
        ],
        "required": ["items"],
        "additionalProperties": false,
    ]

    private static let onError: JSONValue = [
        "anyOf": [
            ["enum": ["fail", "continue"]],
            [
                "type": "object",
                "properties": ["branch": ["type": "string", "pattern": .string(stepName)]],
                "required": ["branch"],
                "additionalProperties": false,
            ],
        ]
    ]

    private static func step(_ registry: ActionRegistry) -> JSONValue {
        let actions = registry.actions.values.sorted { $0.key < $1.key }
        return [
            "type": "object",
            "properties": [
                "name": ["type": "string", "pattern": .string(stepName)],
                "action_key": ["enum": .array(actions.map { .string($0.key) })],
                "input": ["type": "object"],
                "when": ["type": "object", "description": "An event pattern over signal, steps, run and automation."],
                "retry": [
                    "type": "object",
                    "properties": [
                        "max_attempts": [
                            "type": "integer", "minimum": 1, "maximum": .number(DefinitionReader.maximumAttempts),
                        ],
                        "delay": ["$ref": "#/$defs/duration"],
                        "backoff": ["enum": .array(RetryPolicy.Backoff.allCases.map { .string($0.rawValue) })],
                        "max_delay": ["$ref": "#/$defs/duration"],
                        "jitter": ["type": "boolean"],
                        "non_retryable": [
                            "type": "array",
                            "description": "Codes of errors, and statuses of answers, that are not tried again.",
                            "items": [
                                "anyOf": [
                                    ["type": "string", "minLength": 1, "maxLength": 100],
                                    ["type": "integer", "minimum": 100, "maximum": 599],
                                ]
                            ],
                        ],
                    ],
                    "additionalProperties": false,
                ],
                "timeout": ["$ref": "#/$defs/duration"],
                "on_error": onError,
                "needs": [
                    "type": "array", "items": ["type": "string"], "uniqueItems": true,
                    "description": "The earlier steps that end before this one begins; without it, the step before.",
                ],
                "for_each": forEach,
                "idempotent": ["type": "boolean"],
            ],
            "required": ["action_key"],
            "additionalProperties": false,
            "allOf": .array(
                actions.map { action in
                    [
                        "if": ["properties": ["action_key": ["const": .string(action.key)]]],
                        "then": ["properties": ["input": input(of: action)]],
                    ]
                }
            ),
        ]
    }

    /// The schema of an action's input; what it refers to lies within it.
    private static func input(of action: ActionDeclaration) -> JSONValue {
        guard case .object(let members) = withTemplates(action.input.source), BuiltInAction(rawValue: action.key) == nil
        else {
            return withTemplates(action.input.source)
        }
        return .object([JSONMember("$id", .string("urn:batuta:input:\(action.key)"))] + members)
    }

    /// The schema of an input before it is resolved: a template may stand in the place of any value within it.
    ///
    /// What such a value must *not* be cannot be said then, so it is left out: the schema may take what the reader refuses,
    /// and never the other way round.
    private static func withTemplates(_ schema: JSONValue) -> JSONValue {
        guard case .object(let members) = schema else {
            return schema
        }
        return .object(members.compactMap { withTemplates($0) })
    }

    private static func withTemplates(_ keyword: JSONMember) -> JSONMember? {
        switch keyword.key {
        case "not", "oneOf", "if", "then", "else", "uniqueItems", "maxContains", "$schema", "$id": nil
        case "const": keyword.value.isScalar ? keyword : nil
        case "enum": keyword.value.arrayValue?.allSatisfy(\.isScalar) ?? false ? keyword : nil
        case "properties", "patternProperties", "dependentSchemas", "$defs":
            JSONMember(
                keyword.key,
                .object((keyword.value.objectValue ?? []).map { JSONMember($0.key, orTemplate($0.value)) })
            )
        case "items", "additionalProperties", "contains": JSONMember(keyword.key, orTemplate(keyword.value))
        case "allOf", "anyOf", "prefixItems":
            JSONMember(keyword.key, .array((keyword.value.arrayValue ?? []).map(orTemplate)))
        default: keyword
        }
    }

    /// A schema, or a string that holds a template.
    private static func orTemplate(_ schema: JSONValue) -> JSONValue {
        switch schema {
        // No member of this name is no place for a template either.
        case .bool: schema
        case .null, .number, .string, .array, .object:
            ["anyOf": [["type": "string", "pattern": #"\{\{"#], withTemplates(schema)]]
        }
    }
}

extension JSONValue {
    /// Whether nothing lies within the value.
    fileprivate var isScalar: Bool {
        switch self {
        case .null, .bool, .number, .string: true
        case .array, .object: false
        }
    }
}
