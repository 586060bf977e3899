import JSON

/// The actions that there are.
struct ActionRegistry: Sendable {
    let actions: [String: ActionDeclaration]

    init(_ declarations: [ActionDeclaration]) {
        actions = Dictionary(declarations.map { ($0.key, $0) }) { first, _ in first }
    }

    subscript(key: String) -> ActionDeclaration? {
        actions[key]
    }

    /// The registry as clients read it: a list of one page, sorted by key.
    var listing: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for action in actions.values.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            action.writeMembers(to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.member("next", nil as String?)
        writer.endObject()
        return writer.bytes
    }
}
