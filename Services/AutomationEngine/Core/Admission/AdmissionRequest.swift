import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON
import Templates

/// A run that is to begin, and what it is admitted by.
struct AdmissionRequest: Sendable {
    /// A longer value of a key stands in the database by its hash, in bytes.
    static let maximumKey = 200

    let runID: UUID
    let signalID: UUID
    let tenant: String
    let automationID: UUID
    let automationKey: String
    let policy: AdmissionPolicy
    /// Whether the run goes on after a failure: it is there already, so that nothing can skip it.
    let isResumed: Bool
    let pause: AdmissionGate?
    let place: AdmissionGate?
    let rate: AdmissionGate?
    let dedupe: AdmissionGate?

    /// Works out the keys.
    ///
    /// - Parameters:
    ///   - automation: In the version that the run has.
    ///   - signal: What starts it, or has started it.
    ///   - runID: The run's id.
    ///   - isResumed: Whether it goes on after a failure.
    /// - Throws: `StepError` with code `invalid_key` where a key has no value for the signal.
    init(
        _ automation: CompiledAutomation,
        _ signal: IncomingSignal,
        runID: UUID,
        isResumed: Bool = false
    ) throws(StepError) {
        self.runID = runID
        signalID = signal.id
        tenant = automation.tenant
        automationID = automation.id
        automationKey = automation.key
        policy = automation.admission
        self.isResumed = isResumed
        func gate(_ kind: AdmissionGate.Kind, _ key: Template?, _ member: String) throws(StepError) -> AdmissionGate {
            let value = try key.map { (key) throws(StepError) in try Self.value(of: key, automation, signal, member) }
            return AdmissionGate(automation: automation.id, kind: kind, key: value ?? "")
        }
        let places = try policy.concurrency.map { (limit) throws(StepError) in
            try gate(.place, limit.key, "concurrency")
        }
        let rates = try policy.rate.map { (limit) throws(StepError) in try gate(.rate, limit.key, "rate_limit") }
        let keys = try policy.dedupe.map { (dedupe) throws(StepError) in try gate(.dedupe, dedupe.key, "dedupe") }
        // A dry run has no effect that could be too much: of its keys it is only known that they have values.
        let isLimited = !signal.isForDryRun
        pause =
            isLimited && (automation.isPaused || isResumed)
            ? AdmissionGate(automation: automation.id, kind: .pause, key: "") : nil
        place = isLimited ? places : nil
        rate = isLimited ? rates : nil
        // A rerun, and a run that goes on, is wanted once more.
        dedupe = isLimited && !isResumed && !signal.isRerun ? keys : nil
    }

    /// What is locked before the run is decided about.
    var gates: [AdmissionGate] { [dedupe, pause, place, rate].compactMap { $0 } }

    private static func value(
        of key: Template,
        _ automation: CompiledAutomation,
        _ signal: IncomingSignal,
        _ member: String
    ) throws(StepError) -> String {
        let context = TemplateContext(
            signal: signal.view,
            metadata: signal.aim?.metadata,
            run: TemplateContext.Run(id: "", isDryRun: signal.isForDryRun),
            automation: TemplateContext.Automation(
                id: automation.id.lowercased,
                key: automation.key,
                version: automation.version,
                name: automation.name
            )
        )
        let bytes: [UInt8]
        do throws(TemplateError) {
            bytes = try key.resolve(in: context).value
        } catch {
            throw StepError(code: "invalid_key", detail: "The key of \(member) has no value: \(error.message)")
        }
        guard let value = try? JSONDocument(parsing: bytes, limits: .wrapped).root, value.isScalar else {
            throw StepError(
                code: "invalid_key",
                detail: "The key of \(member) is no text, number, true, false or null."
            )
        }
        // However a sender spells it, one value is one key; a number that no double keeps stays as it is.
        let isExact = value.number?.survivesDouble ?? true
        let canonical = isExact ? (try? value.canonicalBytes()) ?? bytes : bytes
        guard canonical.count > maximumKey else {
            return String(decoding: canonical, as: UTF8.self)
        }
        return "sha256:" + SHA256.hash(data: canonical).hex
    }
}

extension JSONView {
    fileprivate var isScalar: Bool { kind != .object && kind != .array }
}

extension IncomingSignal {
    /// Whether it is an earlier signal once more.
    var isRerun: Bool { aim?.metadata["source"]?["type"]?.stringValue == "rerun" }
}
