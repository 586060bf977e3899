import JSON
import Mail

extension ActionDeclaration {
    /// `notify.email`.
    static let email = ActionDeclaration(
        .email,
        title: "Send a mail",
        description:
            "Submits one message to the operator's mail relay. It goes to every recipient or to none, and its Message-ID is "
            + "the same for every attempt.",
        input: [
            "type": "object",
            "properties": [
                "to": addresses(from: 1),
                "cc": addresses(from: 0),
                "bcc": addresses(from: 0),
                "reply_to": addresses(from: 0),
                "from_name": ["type": "string", "maxLength": .number(Int64(MailAddress.maximumNameBytes))],
                "subject": ["type": "string", "maxLength": .number(Int64(MailMessage.maximumSubject))],
                "text": ["type": "string"],
                "html": ["type": "string"],
            ],
            "required": ["to", "subject"],
            "anyOf": [["required": ["text"]], ["required": ["html"]]],
            "additionalProperties": false,
        ],
        output: [
            "type": "object",
            "properties": [
                "message_id": ["type": "string"],
                "accepted": ["type": "array", "items": ["type": "string"]],
            ],
            "required": ["message_id", "accepted"],
        ],
        isIdempotent: false
    )

    /// One mailbox, or several.
    private static func addresses(from minimum: Int64) -> JSONValue {
        [
            "anyOf": [
                ["type": "string"],
                [
                    "type": "array", "items": ["type": "string"], "minItems": .number(minimum),
                    "maxItems": .number(Int64(MailCall.maximumAddresses)),
                ],
            ]
        ]
    }
}
