/// The actions that there are for a tenant.
struct ActionRegistry: Sendable {
    private(set) var actions: [String: ActionDeclaration]
    private var registered: [String: RemoteAction] = [:]

    init(_ declarations: [ActionDeclaration]) {
        actions = Dictionary(declarations.map { ($0.key, $0) }) { first, _ in first }
    }

    /// The registry with actions that administrators have registered; none takes the place of another.
    func adding(_ remote: some Sequence<RemoteAction>) -> ActionRegistry {
        var registry = self
        for action in remote where registry.actions[action.key] == nil {
            registry.actions[action.key] = action.registration?.declaration
            registry.registered[action.key] = action
        }
        return registry
    }

    subscript(key: String) -> ActionDeclaration? {
        actions[key]
    }

    /// What a step does that names an action; nil where none is registered by that name.
    func action(_ key: String) -> StepAction? {
        if let remote = registered[key] {
            return .remote(remote)
        }
        return actions[key] == nil ? nil : BuiltInAction(rawValue: key).map { .builtIn($0) }
    }
}
