import JSON

/// What a step may refer to, by the names of steps that were read before it.
struct StepScope: Sendable {
    /// The positions of all steps so far, by name.
    var positions: [String: Int] = [:]
    /// For each step, by position, the names of those that have ended when it begins.
    var ancestors: [Set<String>] = []
    /// The names of the failure branches, in their order.
    var branches: [String] = []
    /// The place of the branch whose steps are read; nil for the steps of the automation itself.
    var branch: Int?
    /// The steps of the automation itself, which have all ended when a branch begins.
    var main: Set<String> = []
    /// The names of the steps of the list that is read.
    var own: Set<String> = []
    /// The step before, if there is one in the same list.
    var previous: String?

    /// Whether a step of this name was read before, in the same list or, for a branch, in the automation itself.
    func isEarlier(_ name: String) -> Bool { positions[name] != nil }
}

extension DefinitionReader {
    /// The branches that a definition has at most.
    static let maximumBranches = 20

    /// Reads the steps of the automation and those of its branches.
    mutating func readSteps(
        of definition: JSONView,
        at pointer: JSONPointer
    ) -> (steps: [AutomationDefinition.Step], branches: [AutomationDefinition.Branch]) {
        let branchesPointer = pointer.appending("branches")
        let (branches, bodies) = readBranches(definition["branches"], at: branchesPointer)
        var scope = StepScope(branches: branches.map(\.name))
        var steps = readList(definition["steps"], of: "The definition", &scope, at: pointer.appending("steps"))
        scope.main = Set(scope.positions.keys)
        for (place, body) in bodies.enumerated() {
            scope.branch = place
            scope.previous = nil
            scope.own = []
            let name = branches[place].name
            steps += readList(
                body["steps"],
                of: "A branch",
                &scope,
                at: branchesPointer.appending(name).appending("steps")
            )
            if faults.isEmpty, !steps.contains(where: { $0.onError == .branch(place) }) {
                add(branchesPointer.appending(name), "unused", "No step names the branch \"\(name)\".")
            }
        }
        return (steps, branches)
    }

    private mutating func readBranches(
        _ branches: JSONView?,
        at pointer: JSONPointer
    ) -> ([AutomationDefinition.Branch], [JSONView]) {
        guard let branches else {
            return ([], [])
        }
        guard branches.kind == .object else {
            add(pointer, "invalid_type", "The branches must be an object of branches by name.")
            return ([], [])
        }
        var read: [AutomationDefinition.Branch] = []
        var bodies: [JSONView] = []
        for member in branches.members {
            let branchPointer = pointer.appending(member.key)
            guard read.count < Self.maximumBranches else {
                add(pointer, "too_many_branches", "A definition has at most \(Self.maximumBranches) branches.")
                break
            }
            guard member.key.isStepName else {
                add(branchPointer, "invalid_name", "A branch is named like a step.")
                continue
            }
            guard member.value.kind == .object else {
                add(branchPointer, "invalid_type", "A branch must be an object.")
                continue
            }
            refuseUnknown(member.value, known: ["steps", "then"], at: branchPointer)
            var branch = AutomationDefinition.Branch(name: member.key)
            if let then = member.value["then"] {
                switch then.stringValue {
                case "fail": branch.recovers = false
                case "succeed": branch.recovers = true
                default:
                    add(branchPointer.appending("then"), "invalid_value", "then is \"fail\" or \"succeed\".")
                }
            }
            read.append(branch)
            bodies.append(member.value)
        }
        return (read, bodies)
    }

    private mutating func readList(
        _ steps: JSONView?,
        of owner: String,
        _ scope: inout StepScope,
        at pointer: JSONPointer
    ) -> [AutomationDefinition.Step] {
        guard let steps else {
            add(pointer, "required", "\(owner) needs steps.")
            return []
        }
        guard steps.kind == .array else {
            add(pointer, "invalid_type", "The steps must be an array.")
            return []
        }
        guard steps.count > 0 else {
            add(pointer, "empty", "\(owner) needs at least one step.")
            return []
        }
        var read: [AutomationDefinition.Step] = []
        for (index, step) in steps.elements.enumerated() {
            guard scope.ancestors.count < Self.maximumSteps else {
                add(pointer, "too_many_steps", "A definition has at most \(Self.maximumSteps) steps.")
                return read
            }
            let stepPointer = pointer.appending(index)
            guard step.kind == .object else {
                add(stepPointer, "invalid_type", "A step must be an object.")
                scope.ancestors.append([])
                continue
            }
            let name = readName(step["name"], scope, at: stepPointer.appending("name"))
            let needs = readNeeds(step["needs"], scope, at: stepPointer.appending("needs"))
            let ancestors = needs.reduce(into: scope.branch == nil ? [] : scope.main) { known, needed in
                known.insert(needed)
                known.formUnion(scope.positions[needed].map { scope.ancestors[$0] } ?? [])
            }
            if let step = readStep(step, name: name, needs: needs, ancestors, scope, at: stepPointer) {
                read.append(step)
            }
            // A step with a wrong name has a place all the same.
            let known = name ?? "\(scope.ancestors.count)"
            scope.positions[known] = scope.ancestors.count
            scope.own.insert(known)
            scope.ancestors.append(ancestors)
            scope.previous = known
        }
        return read
    }

    private mutating func readName(_ name: JSONView?, _ scope: StepScope, at pointer: JSONPointer) -> String? {
        let text: String
        switch name {
        case .none: text = "step-\(scope.ancestors.count + 1)"
        case .some(let name):
            guard let stated = name.stringValue, stated.isStepName else {
                add(
                    pointer,
                    "invalid_name",
                    "A step's name is 1 to 63 characters of a-z, 0-9, \"_\" and \"-\", beginning with a letter."
                )
                return nil
            }
            text = stated
        }
        if scope.positions[text] != nil {
            add(pointer, "duplicate_name", "Two steps are named \"\(text)\".")
        }
        return text
    }

    /// The names of the steps that a step needs: those it states, or the one before it.
    private mutating func readNeeds(_ needs: JSONView?, _ scope: StepScope, at pointer: JSONPointer) -> [String] {
        guard let needs else {
            return scope.previous.map { [$0] } ?? []
        }
        guard needs.kind == .array else {
            add(pointer, "invalid_type", "needs is an array of names of earlier steps.")
            return []
        }
        var read: [String] = []
        for (index, element) in needs.elements.enumerated() {
            let place = pointer.appending(index)
            guard let name = element.stringValue, scope.positions[name] != nil else {
                add(place, "unknown_step", "needs names steps that stand before this one, by their names.")
                continue
            }
            if scope.branch != nil, !scope.own.contains(name) {
                add(place, "invalid_value", "A step of a branch needs steps of its own branch; all others have ended.")
            } else if read.contains(name) {
                add(place, "duplicate_name", "The step \"\(name)\" is named twice.")
            } else {
                read.append(name)
            }
        }
        return read
    }
}
