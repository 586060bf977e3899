import Domain
import JSON

/// What a step of `flow.wait_for_signal` asks for.
struct SignalWait: Sendable {
    static let members: Set<String> = ["type", "match", "within"]
    /// How long is waited where the input does not say it.
    static let standardTime = Duration.seconds(86_400)
    /// As many places of an event may be compared.
    static let maximumPaths = 10

    let shape: SignalShape
    let correlation: String
    let within: Duration

    /// Reads a resolved input.
    ///
    /// - Parameter input: RFC 8259 JSON.
    /// - Throws: What is wrong with the input.
    init(_ input: [UInt8]) throws(StepError) {
        let root = try? JSONDocument(parsing: input, limits: .wrapped).root
        try Self.faults(of: root, isResolved: true).refuse()
        guard let root, let shape = Self.shape(of: root) else {
            throw StepError(code: "invalid_input", detail: "type: flow.wait_for_signal needs the type of the signal.")
        }
        let values = shape.paths.compactMap { root["match"]?[$0] }
        guard let correlation = SignalShape.correlation(values) else {
            throw StepError(code: "invalid_input", detail: "match: A value that is compared is no object and no array.")
        }
        self.shape = shape
        self.correlation = correlation
        within = WaitLimit.read(root, orElse: Self.standardTime)
    }

    /// What is known of the signals before the input is resolved; nil where the input is wrong.
    static func shape(of input: JSONView?) -> SignalShape? {
        guard let type = input?["type"]?.stringValue else {
            return nil
        }
        return SignalShape(type: type, paths: input?["match"]?.members.map(\.key) ?? [])
    }

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        var faults: [InputFault] = []
        func add(_ member: String, _ code: String, _ detail: String) {
            faults.append(InputFault(member: member, code: code, detail: detail))
        }
        switch input?["type"] {
        case .none: add("type", "required", "flow.wait_for_signal needs the type of the signal.")
        case .some(let type):
            let text = type.stringValue ?? ""
            if !(1...255).contains(text.utf8.count) || !text.isPlainText || text.hasSuffix(".*") || text.contains("{{")
            {
                // A run listens from its start on, when nothing is resolved yet.
                add("type", "invalid_value", "The type is a signal's type of 1 to 255 bytes, and no template.")
            }
        }
        if let match = input?["match"] {
            if match.kind != .object || match.count > maximumPaths {
                add("match", "invalid_type", "match is an object of up to \(maximumPaths) values by JSON Pointers.")
            } else if let member = match.members.first(where: { JSONPointer($0.key)?.tokens.isEmpty ?? true }) {
                add("match", "invalid_value", "\"\(member.key)\" is no JSON Pointer, such as \"/data/order\".")
            } else if match.members.contains(where: { $0.value.kind == .object || $0.value.kind == .array }) {
                add("match", "invalid_value", "A value that is compared is no object and no array.")
            }
        }
        return faults + WaitLimit.faults(of: input, isResolved: isResolved)
    }
}
