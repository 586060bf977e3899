import JSON

extension ActionDeclaration {
    /// A run of another automation.
    static let run = ActionDeclaration(
        .run,
        title: "Run another automation",
        description:
            "Starts a run of another active automation with the given data, and waits for its end. The step fails when the "
            + "run fails, is canceled, or does not end in time; its output holds what the run's last step has output.",
        input: [
            "type": "object",
            "properties": [
                "automation": [
                    "type": "string", "pattern": "^[a-z][a-z0-9._-]{0,99}$",
                    "description": "The key of the automation.",
                ],
                "data": ["description": "The data of the signal that starts the run; {} where it is left out."],
                "wait": ["type": "boolean", "default": true],
                "within": ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "default": "7d"],
            ],
            "required": ["automation"],
            "additionalProperties": false,
        ],
        output: [
            "type": "object",
            "description": "With \"wait\": false the signal and the automation, else the run and what came of it.",
            "properties": [
                "automation_key": ["type": "string"],
                "signal_id": ["type": "string", "format": "uuid"],
                "run_id": ["type": "string", "format": "uuid"],
                "status": ["const": "succeeded"],
                "output": [
                    "description": "The output of the last step of the run that succeeded; null where it has none."
                ],
            ],
        ],
        isIdempotent: true
    )
}
