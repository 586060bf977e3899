extension Template {
    /// Everything that is wrong with what the template refers to.
    ///
    /// - Parameters:
    ///   - steps: The names of the steps that have ended whenever the template is resolved.
    ///   - hasItem: Whether the template is resolved once for each of several items.
    /// - Returns: The faults in the order of the value; none where every path is one that the context can have.
    package func check(steps: Set<String>, hasItem: Bool = false) -> [TemplateFault] {
        references.compactMap { $0.fault(steps: steps, hasItem: hasItem) }
    }
}

extension TemplateReference {
    /// The attributes of a signal that are objects; all others are scalars.
    private static let structured: Set<String> = ["data", "metadata"]

    private static let runMembers = ["id", "dry_run"]
    private static let stepMembers = ["output", "status", "error"]
    private static let automationMembers = ["id", "key", "version", "name"]

    fileprivate func fault(steps: Set<String>, hasItem: Bool) -> TemplateFault? {
        switch root {
        case "signal": return signalFault()
        case "run": return memberFault(at: 1, of: Self.runMembers, scalars: Self.runMembers)
        case "automation": return memberFault(at: 1, of: Self.automationMembers, scalars: Self.automationMembers)
        case "steps":
            if let step {
                guard steps.contains(step) else {
                    return fault(.unknownStep, "No earlier step is called \(ExpressionSyntax.shortened(step)).")
                }
                return memberFault(at: 2, of: Self.stepMembers, scalars: ["status"])
            }
            guard tokens.count > 1 else { return fault(.incompletePath, "steps needs the name of a step.") }
            return fault(.unknownStep, "A step is named, not numbered.")
        case "item", "index":
            guard hasItem else {
                return fault(.unknownRoot, "Only a step with for_each has an \(root == "item" ? "item" : "index").")
            }
            guard root == "item" || tokens.count == 1 else {
                return fault(.unknownMember, "index has no members.")
            }
            return nil
        default:
            let name = ExpressionSyntax.shortened(root)
            return fault(.unknownRoot, "A path begins with signal, steps, run or automation, not with \(name).")
        }
    }

    private func signalFault() -> TemplateFault? {
        guard tokens.count > 1 else { return nil }
        guard case .name(let name) = tokens[1], Self.isAttribute(name) else {
            let path = ExpressionSyntax.shortened(description)
            let message = "\(path) is no attribute of an event: they have small letters and digits only."
            return fault(.unknownMember, message)
        }
        guard tokens.count == 2 || Self.structured.contains(name) else {
            return fault(.unknownMember, "signal.\(ExpressionSyntax.shortened(name)) has no members.")
        }
        return nil
    }

    /// Whether an event may have an attribute of this name; `data_base64` is the one with another character.
    private static func isAttribute(_ name: String) -> Bool {
        guard name != "data_base64" else { return true }
        return !name.isEmpty
            && name.utf8.allSatisfy { ExpressionSyntax.isDigit($0) || $0 &- UInt8(ascii: "a") < 26 }
    }

    private func memberFault(at position: Int, of members: [String], scalars: [String]) -> TemplateFault? {
        let parent = TemplatePath.text(of: tokens.prefix(position))
        guard position < tokens.count else {
            return fault(.incompletePath, "\(parent) needs a member: \(members.joined(separator: ", ")).")
        }
        guard case .name(let name) = tokens[position], members.contains(name) else {
            return fault(.unknownMember, "\(parent) has the members \(members.joined(separator: ", ")) only.")
        }
        guard tokens.count == position + 1 || !scalars.contains(name) else {
            return fault(.unknownMember, "\(parent).\(name) has no members.")
        }
        return nil
    }

    private func fault(_ code: TemplateFault.Code, _ message: String) -> TemplateFault {
        TemplateFault(code, at: pointer, column: column, message)
    }
}
