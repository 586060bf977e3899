import JSON

/// A compiled path: what of the context it begins at, and how it goes on from there.
struct TemplatePath: Sendable {
    typealias Token = TemplateReference.Token

    let tokens: [Token]

    /// The column of its first character, in Unicode code points from 1.
    let column: Int

    let source: Source

    /// How many tokens the source takes; the others lead on from its value.
    let sourceLength: Int

    /// A value of the context.
    enum Source: Sendable {
        case signal
        case signalMetadata
        case stepOutput(String)
        case stepStatus(String)
        case stepError(String)
        case item
        case index
        case runID
        case runIsDryRun
        case automationID
        case automationKey
        case automationVersion
        case automationName
        /// Nothing that the context ever has.
        case unknown
    }

    init(_ tokens: [Token], column: Int) {
        self.tokens = tokens
        self.column = column
        (source, sourceLength) = Self.source(of: tokens)
    }

    private static func source(of tokens: [Token]) -> (Source, Int) {
        guard case .name(let root)? = tokens.first else { return (.unknown, 0) }
        let member = name(tokens, 1)
        switch (root, member) {
        case ("signal", "metadata"): return (.signalMetadata, 2)
        case ("signal", _): return (.signal, 1)
        case ("run", "id"): return (.runID, 2)
        case ("run", "dry_run"): return (.runIsDryRun, 2)
        case ("automation", "id"): return (.automationID, 2)
        case ("automation", "key"): return (.automationKey, 2)
        case ("automation", "version"): return (.automationVersion, 2)
        case ("automation", "name"): return (.automationName, 2)
        case ("item", _): return (.item, 1)
        case ("index", _): return (.index, 1)
        case ("steps", let step?):
            switch name(tokens, 2) {
            case "output": return (.stepOutput(step), 3)
            case "status": return (.stepStatus(step), 3)
            case "error": return (.stepError(step), 3)
            default: return (.unknown, 0)
            }
        default: return (.unknown, 0)
        }
    }

    private static func name(_ tokens: [Token], _ position: Int) -> String? {
        guard position < tokens.count, case .name(let name) = tokens[position] else { return nil }
        return name
    }

    /// The path as the language writes it.
    static func text(of tokens: some Sequence<Token>) -> String {
        var text = ""
        for token in tokens {
            switch token {
            case .index(let index): text += "[\(index)]"
            case .name(let name):
                if ExpressionSyntax.isName(name.utf8) {
                    text += text.isEmpty ? name : ".\(name)"
                } else {
                    text += "[\"\(ExpressionSyntax.escaped(name))\"]"
                }
            }
        }
        return text
    }
}

// MARK: - Reading

extension TemplatePath {
    /// The value that the path leads to, or `missing`.
    func value(
        in context: TemplateContext,
        _ allowance: inout TemplateAllowance
    ) throws(TemplateFailure) -> TemplateValue {
        guard let start = start(in: context) else {
            throw TemplateFailure(.unknownReference, "The context never has \(Self.text(of: tokens)).")
        }
        guard sourceLength < tokens.count else { return start }
        guard case .json(var view) = start else { return .missing }
        for token in tokens[sourceLength...] {
            guard let next = try Self.step(from: view, by: token, &allowance) else { return .missing }
            view = next
        }
        return .json(view)
    }

    /// The value of the path's source; nil where the context never has it.
    private func start(in context: TemplateContext) -> TemplateValue? {
        switch source {
        case .signal: .json(context.signal)
        case .signalMetadata: context.metadata.map { .json($0) } ?? .missing
        case .stepOutput(let name): context.steps[name]?.output.map { .json($0) } ?? .missing
        case .stepStatus(let name): context.steps[name].map { .text($0.status) } ?? .missing
        case .stepError(let name): context.steps[name]?.error.map { .json($0) } ?? .missing
        case .item: context.item.map { .json($0.value) } ?? .missing
        case .index: context.item.map { .number(JSONNumber($0.index)) } ?? .missing
        case .runID: .text(context.run.id)
        case .runIsDryRun: .bool(context.run.isDryRun)
        case .automationID: .text(context.automation.id)
        case .automationKey: .text(context.automation.key)
        case .automationVersion: .number(JSONNumber(context.automation.version))
        case .automationName: .text(context.automation.name)
        case .unknown: nil
        }
    }

    private static func step(
        from view: JSONView,
        by token: Token,
        _ allowance: inout TemplateAllowance
    ) throws(TemplateFailure) -> JSONView? {
        try allowance.charge(view.count)
        switch token {
        case .name(let name): return view[name]
        case .index(let index): return view.element(at: index < 0 ? view.count + index : index)
        }
    }

    /// A sentence on why the path leads to nothing: the first part of it that does.
    func explanation(in context: TemplateContext) -> String {
        guard case .json(var view)? = start(in: context) else {
            return "\(Self.text(of: tokens.prefix(max(sourceLength, 1)))) has no value here."
        }
        var allowance = TemplateAllowance(maximumBytes: .max)
        for (position, token) in tokens.enumerated().dropFirst(sourceLength) {
            if let next = try? Self.step(from: view, by: token, &allowance) {
                view = next
                continue
            }
            let parent = Self.text(of: tokens.prefix(position))
            switch (token, view.kind) {
            case (.name(let name), .object):
                return "\(parent) has no member \"\(ExpressionSyntax.shortened(name))\"."
            case (.index(let index), .array):
                return "\(parent) has \(view.count) elements and none at \(index)."
            case (.name, let kind):
                return "\(parent) is \(kind.withArticle) and has no members."
            case (.index, let kind):
                return "\(parent) is \(kind.withArticle) and has no elements."
            }
        }
        return "\(Self.text(of: tokens)) has no value."
    }
}
