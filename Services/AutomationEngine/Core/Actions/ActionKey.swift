import Domain
import JSON

/// The names of actions that administrators register.
enum ActionKey {
    /// The areas of the engine's own actions, those included that later releases may have.
    static let reservedAreas: Set<String> = ["automation", "data", "flow", "http", "job", "notify", "signal"]

    /// Whether a text is `area.verb`: `^[a-z][a-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$`, of 100 bytes at most.
    static func isWellFormed(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 100, parts.count == 2, let area = parts[0].first, let verb = parts[1].first else {
            return false
        }
        return area.isLowercaseLetter && verb.isLetter
            && parts[0].allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0.isDashOrUnderscore }
            && parts[1].allSatisfy { $0.isLetter || $0.isDigit || $0.isDashOrUnderscore }
    }

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

extension UInt8 {
    fileprivate var isLetter: Bool { isLowercaseLetter || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }

    fileprivate var isDashOrUnderscore: Bool { self == UInt8(ascii: "-") || self == UInt8(ascii: "_") }
}
