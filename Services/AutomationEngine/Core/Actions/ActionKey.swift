import JSON
import Messaging

/// The names of actions that administrators register.
enum ActionKey {
    /// The areas of the engine's own actions, those included that later releases may have.
    static let reservedAreas: Set<String> = ["automation", "data", "flow", "http", "job", "notify", "signal"]

    /// Whether a text is `area.verb`: `^[a-z][a-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$`, of 100 bytes at most.
    static func isWellFormed(_ text: String) -> Bool { ActionRoute.isActionKey(text) }

    /// Whether a text names an area that is the engine's own.
    static func isReserved(_ text: String) -> Bool {
        reservedAreas.contains(String(text.prefix { $0 != "." }))
    }

    /// Whether an action of this name can be registered.
    static func isRegistrable(_ text: String) -> Bool { isWellFormed(text) && !isReserved(text) }

    /// The names of registrable actions that a definition has, whatever else it holds.
    static func registrable(in definition: JSONView?) -> Set<String> {
        Set(steps(in: definition).map(\.key).filter(isRegistrable))
    }

    /// The steps of a definition that name an action, those of branches included: the name, and where the step stands.
    static func steps(in definition: JSONView?) -> [(key: String, pointer: JSONPointer)] {
        var lists: [(steps: JSONView?, pointer: JSONPointer)] = [
            (definition?["steps"], JSONPointer.root.appending("steps"))
        ]
        if let branches = definition?["branches"], branches.kind == .object {
            for branch in branches.members {
                let pointer = JSONPointer.root.appending("branches").appending(branch.key).appending("steps")
                lists.append((branch.value["steps"], pointer))
            }
        }
        return lists.flatMap { list in
            (list.steps?.kind == .array ? list.steps?.elements.map { $0 } ?? [] : []).enumerated()
                .compactMap { index, step in
                    step["action_key"]?.stringValue.map { ($0, list.pointer.appending(index)) }
                }
        }
    }
}
