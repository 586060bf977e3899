import JSON

extension ActionRegistry {
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
            .transform,
            title: "Transform data",
            description: "Its output is its input, with every reference resolved.",
            input: ["type": "object"],
            output: ["type": "object"],
            isIdempotent: true
        ),
        ActionDeclaration(
            .emit,
            title: "Emit a signal",
            description: "Emits a signal of the tenant, which automations match like any other.",
            input: [
                "type": "object",
                "properties": [
                    "type": ["type": "string", "minLength": 1, "maxLength": 255],
                    "subject": ["type": "string"],
                    "data": true,
                ],
                "required": ["type"],
                "additionalProperties": false,
            ],
            output: [
                "type": "object",
                "properties": ["signal_id": ["type": "string", "format": "uuid"], "type": ["type": "string"]],
                "required": ["signal_id", "type"],
            ],
            isIdempotent: true
        ),
        ActionDeclaration(
            .http,
            title: "Call an HTTP service",
            description:
                "Sends one request and outputs the answer. An answer of 400 or above that `expect` does not list "
                + "is a failure.",
            input: [
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
            output: answerSchema,
            isIdempotent: false
        ),
        ActionDeclaration(
            .webhook,
            title: "Notify a webhook",
            description:
                "Posts a payload as JSON: to a chat's incoming webhook, or, signed as Standard Webhooks has it, to any "
                + "receiver that verifies it. The message's id is the same for every attempt.",
            input: [
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
            output: answerSchema,
            isIdempotent: false
        ),
        .email,
        ActionDeclaration(
            .delay,
            title: "Wait",
            description:
                "Lets the run wait, for a duration or until a time; nothing is held meanwhile but a row. "
                + "A time that is past does not wait.",
            input: [
                "type": "object",
                "properties": [
                    "for": ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"],
                    "until": ["type": "string", "format": "date-time"],
                ],
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false,
            ],
            output: [
                "type": "object",
                "properties": ["until": ["type": "string", "format": "date-time"]],
                "required": ["until"],
            ],
            isIdempotent: true
        ),
        ActionDeclaration(
            .waitForSignal,
            title: "Wait for a signal",
            description:
                "Lets the run wait for a signal of a type that has the given values at the given places; one that came since "
                + "the run has begun counts. When the time is over, the step fails.",
            input: [
                "type": "object",
                "properties": [
                    "type": ["type": "string", "minLength": 1, "maxLength": 255],
                    "match": [
                        "type": "object",
                        "maxProperties": .number(Int64(SignalWait.maximumPaths)),
                        "propertyNames": ["pattern": "^/"],
                        "additionalProperties": ["type": ["string", "number", "boolean", "null"]],
                    ],
                    "within": ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "default": "1d"],
                ],
                "required": ["type"],
                "additionalProperties": false,
            ],
            output: [
                "type": "object",
                "description": "The event in structured form.",
                "properties": ["type": ["type": "string"], "source": ["type": "string"], "data": true],
                "required": ["type", "source"],
            ],
            isIdempotent: true
        ),
        ActionDeclaration(
            .approval,
            title: "Ask for approval",
            description:
                "Lets the run wait until a person has approved it: by role or by name, and never who has started it unless "
                + "that is allowed. A rejection is a failure of the step, and so is the end of the time limit.",
            input: [
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
            output: [
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
        .run,
    ])
}

extension ActionDeclaration {
    /// An action that the engine carries out itself; all of them can say what they would do.
    init(
        _ action: BuiltInAction,
        title: String,
        description: String,
        input: JSONValue,
        output: JSONValue,
        isIdempotent: Bool
    ) {
        self.init(
            key: action.rawValue,
            title: title,
            description: description,
            input: ActionSchema(input),
            output: ActionSchema(output),
            isIdempotent: isIdempotent,
            canSimulate: true,
            timeout: action.hasEffect ? BuiltInAction.standardTimeout : nil,
            retry: action.standardRetry
        )
    }
}
