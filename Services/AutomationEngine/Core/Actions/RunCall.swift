import Domain
import FoundationEssentials
import JSON

/// What a step of `automation.run` asks for: a run of another automation, with data of the step's own.
struct RunCall: Sendable {
    static let members: Set<String> = ["automation", "data", "wait", "within"]
    /// How long is waited for the end of the run where the input does not say it.
    static let standardTime = Duration.seconds(7 * 86_400)
    /// The type of the signal that starts the run; it is aimed, so no trigger is on it.
    static let signalType = "automation.run"

    /// The key of the automation.
    let automation: String
    /// What the run's signal carries as its data, as JSON.
    let data: [UInt8]
    /// Whether the step waits for the end of the run.
    let waits: Bool
    let within: Duration

    /// Reads a resolved input.
    ///
    /// - Parameter input: RFC 8259 JSON.
    /// - Throws: What is wrong with the input.
    init(_ input: [UInt8]) throws(StepError) {
        let root = try? JSONDocument(parsing: input, limits: .wrapped).root
        try Self.faults(of: root, isResolved: true).refuse()
        automation = root?["automation"]?.stringValue ?? ""
        data = root?["data"].map { Array($0.rawBytes) } ?? Array("{}".utf8)
        waits = root?["wait"]?.boolValue ?? true
        within = WaitLimit.read(root, orElse: Self.standardTime)
    }

    /// What is asked for, as the row of the waiting step has it.
    ///
    /// - Parameter signal: The signal that starts the run.
    /// - Returns: A JSON object.
    func request(signal: UUID) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation_key", automation)
        writer.member("signal_id", signal.lowercased)
        writer.endObject()
        return writer.bytes
    }

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        var faults: [InputFault] = []
        func add(_ member: String, _ code: String, _ detail: String) {
            faults.append(InputFault(member: member, code: code, detail: detail))
        }
        switch input?["automation"] {
        case .none: add("automation", "required", "automation.run needs the key of an automation.")
        case .some(let key):
            if !isOpen(key), !(key.stringValue?.isAutomationKey ?? false) {
                add("automation", "invalid_value", "automation is the key of an automation, such as \"send-invoice\".")
            }
        }
        if let wait = input?["wait"], !isOpen(wait), wait.boolValue == nil {
            add("wait", "invalid_type", "wait is true or false.")
        }
        return faults + WaitLimit.faults(of: input, isResolved: isResolved)
    }
}
