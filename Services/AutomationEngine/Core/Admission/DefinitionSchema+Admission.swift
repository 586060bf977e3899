import JSON

extension DefinitionSchema {
    static let concurrency: JSONValue = [
        "type": "object",
        "description": "How many runs may be under way at once.",
        "properties": [
            "limit": limit, "key": key,
            "on_limit": ["enum": ["queue", "skip", "cancel_running"], "default": "queue"],
        ],
        "required": ["limit"],
        "additionalProperties": false,
    ]

    static let rate: JSONValue = [
        "type": "object",
        "description": "How many runs may begin within a time.",
        "properties": [
            "limit": limit, "per": ["$ref": "#/$defs/duration"], "key": key,
            "on_limit": ["enum": ["queue", "skip"], "default": "queue"],
        ],
        "required": ["limit", "per"],
        "additionalProperties": false,
    ]

    static let dedupe: JSONValue = [
        "type": "object",
        "description": "By which signals start no second run.",
        "properties": [
            "key": key, "window": ["$ref": "#/$defs/duration"],
            "until": ["const": "end", "description": "The key is free again once its run has ended."],
        ],
        "required": ["key", "window"],
        "additionalProperties": false,
    ]

    private static let limit: JSONValue = [
        "type": "integer", "minimum": 1, "maximum": .number(DefinitionReader.maximumLimit),
    ]

    private static let key: JSONValue = [
        "type": "string", "description": "A template over signal alone, such as {{ signal.data.customer }}.",
    ]
}
