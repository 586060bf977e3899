import Contracts
import JSON

/// What a person asks to be executed: how, and with what.
struct ExecutionOrder: Sendable {
    /// Whether the steps act, or only say what they would do.
    enum Mode: String, CaseIterable, Sendable {
        case dry = "dry_run"
        case live = "live_run"
    }

    let mode: Mode
    /// The signal's data; nil where the body says nothing of it.
    let data: [UInt8]?

    /// Reads the body of `POST …/execute` or `…/rerun`.
    ///
    /// - Parameters:
    ///   - body: An object.
    ///   - standardMode: The mode where the body names none; nil where it has to.
    ///   - takesContext: Whether the body may have a context.
    /// - Throws: All its faults, as a `Problem`.
    init(_ body: JSONView?, standardMode: Mode? = nil, takesContext: Bool = true) throws(Problem) {
        var faults: [Problem.Detail] = []
        func fault(_ member: String, _ code: String, _ detail: String) {
            faults.append(
                Problem.Detail(pointer: JSONPointer().appending(member).text, code: code, detail: detail)
            )
        }
        for member in body?.members.map(\.key) ?? [] where member != "mode" && !(takesContext && member == "context") {
            fault(member, "unknown_member", "There is no member \"\(member)\" here.")
        }
        let stated = body?["mode"]
        let mode = stated.map { $0.stringValue.flatMap(Mode.init(rawValue:)) } ?? standardMode
        if mode == nil {
            fault("mode", stated == nil ? "required" : "invalid_value", "The mode is \"dry_run\" or \"live_run\".")
        }
        let context = takesContext ? body?["context"] : nil
        if let context, context.kind != .object {
            fault("context", "invalid_type", "The context is an object.")
        }
        guard faults.isEmpty, let mode else {
            throw Problem(.invalidContent, errors: faults)
        }
        self.mode = mode
        data = context.map { Array($0.rawBytes) }
    }
}
