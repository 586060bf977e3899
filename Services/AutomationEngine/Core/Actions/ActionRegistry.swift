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
    /// Whether it has no effect outside the engine, so that it completes in the transaction that creates its run.
    var isPure: Bool
}

/// The actions that there are.
struct ActionRegistry: Sendable {
    let actions: [String: ActionDeclaration]

    init(_ declarations: [ActionDeclaration]) {
        actions = Dictionary(declarations.map { ($0.key, $0) }) { first, _ in first }
    }

    /// The actions that the engine carries out itself.
    static let builtIn = ActionRegistry([
        ActionDeclaration(
            key: "data.transform",
            title: "Transform data",
            description: "Its output is its input, with every reference resolved.",
            inputSchema: ["type": "object"],
            outputSchema: ["type": "object"],
            isIdempotent: true,
            isPure: true
        )
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
