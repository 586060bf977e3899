import JSON

/// An action: what a step can do.
///
/// Declared once; the registry is the only way to it.
struct ActionDeclaration: Sendable {
    /// `area.verb`.
    var key: String
    var title: String
    var description: String
    /// JSON Schema (2020-12) of the input.
    var inputSchema: JSONValue
    /// JSON Schema (2020-12) of the output.
    var outputSchema: JSONValue
    /// Whether an attempt of unknown outcome may simply be repeated.
    var isIdempotent: Bool
}

/// The actions that there are.
struct ActionRegistry: Sendable {
    let actions: [String: ActionDeclaration]

    init(_ declarations: [ActionDeclaration]) {
        actions = Dictionary(declarations.map { ($0.key, $0) }) { first, _ in first }
    }

    /// What an action outputs that has called an HTTP service.
    private static let answerSchema: JSONValue = [
        "type": "object",
        "properties": [
            "status": ["type": "integer"],
            "headers": ["type": "object", "additionalProperties": ["type": "string"]],
            "body": true,
        ],
        "required": ["status", "headers", "body"],
    ]

    /// The actions that the engine carries out itself.
    static let builtIn = ActionRegistry([
        ActionDeclaration(
            key: "data.transform",
            title: "Transform data",
            description: "Its output is its input, with every reference resolved.",
            inputSchema: ["type": "object"],
            outputSchema: ["type": "object"],
            isIdempotent: true
        ),
        ActionDeclaration(
            key: "signal.emit",
            title: "Emit a signal",
            description: "Emits a signal of the tenant, which automations match like any other.",
            inputSchema: [
                "type": "object",
                "properties": [
                    "type": ["type": "string", "minLength": 1, "maxLength": 255],
                    "subject": ["type": "string"],
                    "data": true,
                ],
                "required": ["type"],
                "additionalProperties": false,
            ],
            outputSchema: [
                "type": "object",
                "properties": ["signal_id": ["type": "string", "format": "uuid"], "type": ["type": "string"]],
                "required": ["signal_id", "type"],
            ],
            isIdempotent: true
        ),
        ActionDeclaration(
            key: "http.request",
            title: "Call an HTTP service",
            description:
                "Sends one request and outputs the answer. An answer of 400 or above that `expect` does not list "
                + "is a failure.",
            inputSchema: [
                "type": "object",
                "properties": [
                    "method": [
                        "enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], "default": "GET",
                    ],
                    "url": ["type": "string", "format": "uri"],
                    "headers": ["type": "object", "additionalProperties": ["type": "string"]],
                    "body": true,
                    "expect": ["type": "array", "items": ["type": "integer", "minimum": 100, "maximum": 599]],
                    "follow_redirects": ["type": "boolean", "default": false],
                ],
                "required": ["url"],
                "additionalProperties": false,
            ],
            outputSchema: answerSchema,
            isIdempotent: false
        ),
        ActionDeclaration(
            key: "notify.webhook",
            title: "Notify a webhook",
            description:
                "Posts a payload as JSON: to a chat's incoming webhook, or, signed as Standard Webhooks has it, to any "
                + "receiver that verifies it. The message's id is the same for every attempt.",
            inputSchema: [
                "type": "object",
                "properties": [
                    "url": ["type": "string", "format": "uri"],
                    "payload": true,
                    "headers": ["type": "object", "additionalProperties": ["type": "string"]],
                    "secret": ["type": "string", "minLength": 1],
                ],
                "required": ["url", "payload"],
                "additionalProperties": false,
            ],
            outputSchema: answerSchema,
            isIdempotent: false
        ),
        ActionDeclaration(
            key: "flow.delay",
            title: "Wait",
            description:
                "Lets the run wait, for a duration or until a time; nothing is held meanwhile but a row. "
                + "A time that is past does not wait.",
            inputSchema: [
                "type": "object",
                "properties": [
                    "for": ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"],
                    "until": ["type": "string", "format": "date-time"],
                ],
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false,
            ],
            outputSchema: [
                "type": "object",
                "properties": ["until": ["type": "string", "format": "date-time"]],
                "required": ["until"],
            ],
            isIdempotent: true
        ),
        ActionDeclaration(
            key: "flow.approval",
            title: "Ask for approval",
            description:
                "Lets the run wait until a person has approved it: by role or by name, and never who has started it unless "
                + "that is allowed. A rejection is a failure of the step, and so is the end of the time limit.",
            inputSchema: [
                "type": "object",
                "properties": [
                    "title": ["type": "string", "minLength": 1, "maxLength": 200],
                    "message": ["type": "string", "maxLength": 10_000],
                    "roles": [
                        "type": "array", "maxItems": .number(Int64(Approval.maximumNames)),
                        "items": ["enum": ["viewer", "operator", "author", "admin", "auditor"]],
                    ],
                    "people": [
                        "type": "array", "maxItems": .number(Int64(Approval.maximumNames)),
                        "items": ["type": "string", "minLength": 1, "maxLength": 255],
                    ],
                    "allow_requester": ["type": "boolean", "default": false],
                    "form": ["type": ["object", "boolean"], "description": "A JSON Schema."],
                    "within": ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "default": "7d"],
                    "on_timeout": ["enum": ["fail", "approve"], "default": "fail"],
                ],
                "required": ["title"],
                "additionalProperties": false,
            ],
            outputSchema: [
                "type": "object",
                "properties": [
                    "approved": ["type": "boolean"],
                    "by": ["type": ["string", "null"]],
                    "comment": ["type": "string"],
                    "decision": ["enum": ["approved", "timed_out"]],
                    "form": true,
                ],
                "required": ["approved", "by", "decision", "form"],
            ],
            isIdempotent: true
        ),
    ])

    subscript(key: String) -> ActionDeclaration? {
        actions[key]
    }

    /// The registry as clients read it: a list of one page, sorted by key.
    var listing: JSONValue {
        let items: JSONValue = .array(
            actions.values.sorted { $0.key < $1.key }.map { action in
                [
                    "action_key": .string(action.key),
                    "title": .string(action.title),
                    "description": .string(action.description),
                    "input_schema": action.inputSchema,
                    "output_schema": action.outputSchema,
                    "idempotent": .bool(action.isIdempotent),
                    "run_type": "automation",
                ]
            }
        )
        return ["items": items, "next": nil]
    }
}
