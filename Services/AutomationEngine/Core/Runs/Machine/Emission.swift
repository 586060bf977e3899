import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON
import Messaging

/// A signal that a step emits.
///
/// Its id is derived from run and step, so that a repeated attempt emits the same signal and no second one.
struct Emission: Sendable {
    /// A signal may stand at the end of this many others; more would be automations that wake each other for ever.
    static let maximumDepth = 16

    let signalID: UUID
    let tenant: String
    let type: String
    let runID: UUID
    let position: Int
    let traceparent: String?
    /// Whether it is for one automation, and wakes no other.
    let isAimed: Bool
    /// The event in structured form.
    let event: [UInt8]
    /// What a step answers that waits for nothing.
    let output: [UInt8]

    /// Reads a resolved input of `signal.emit` and makes the signal.
    ///
    /// - Parameters:
    ///   - input: `type`, and optionally `data` and `subject`.
    ///   - run: The run that emits.
    ///   - position: The step's position.
    ///   - turn: How often its branch had its turn before; what it emits now is another signal.
    ///   - causation: The signal that the run was started by.
    /// - Throws: What is wrong with the input, or `causation_too_deep`.
    init(
        _ input: [UInt8],
        run: RunRecord,
        position: Int,
        turn: Int = 0,
        causation: IncomingSignal
    ) throws(StepError) {
        let depth = try Self.depth(after: causation)
        let request = try Request(input)
        signalID = Self.id(run: run.id, position: position, item: turn)
        tenant = run.tenant
        type = request.type
        runID = run.id
        self.position = position
        traceparent = run.traceparent
        isAimed = false
        event = request.event(id: signalID, run: run, depth: depth, requester: causation.requester)
        output = Self.output(signalID, ("type", request.type))
        try requireSize()
    }

    /// Makes the signal that starts a run of another automation.
    ///
    /// - Parameters:
    ///   - call: What the step asks for.
    ///   - run: The run that calls.
    ///   - position: The step's position.
    ///   - causation: The signal that the run was started by.
    ///   - now: Microseconds of Unix time.
    /// - Throws: `causation_too_deep`, `signal_too_large`.
    init(
        _ call: RunCall,
        run: RunRecord,
        position: Int,
        causation: IncomingSignal,
        at now: Int64
    ) throws(StepError) {
        let depth = try Self.depth(after: causation)
        // A step that is executed once more, after it has failed, starts another run.
        signalID = Self.id(run: run.id, position: position, item: run.steps[position].attempt)
        tenant = run.tenant
        type = RunCall.signalType
        runID = run.id
        self.position = position
        traceparent = run.traceparent
        isAimed = true
        let aimed = AimedEvent(
            signalID: signalID,
            source: "/batuta/automations/\(run.automationKey)",
            target: .key(call.automation),
            origin: AimedEvent.Origin(
                type: "automation",
                // Whoever has asked for a run has asked for those that it calls.
                actor: causation.actor ?? .engine,
                traceparent: run.traceparent,
                time: Timestamp(microseconds: now),
                more: RunCaller.metadata(of: run, position, waits: call.waits)
            )
        )
        event = aimed.event(type: type, data: call.data, depth: depth)
        output = Self.output(signalID, ("automation_key", call.automation))
        try requireSize()
    }

    private static func depth(after causation: IncomingSignal) throws(StepError) -> Int {
        let depth = causation.depth + 1
        guard depth <= maximumDepth else {
            throw StepError(
                code: "causation_too_deep",
                detail: "The signal would be the \(depth)th that one led to by the other; "
                    + "at most \(maximumDepth) may follow from one."
            )
        }
        return depth
    }

    private func requireSize() throws(StepError) {
        guard event.count <= RunRecord.maximumOutput else {
            throw StepError(code: "signal_too_large", detail: "The signal is longer than 256 KiB.")
        }
    }

    private static func output(_ signal: UUID, _ more: (name: String, value: String)) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        writer.beginObject()
        writer.member("signal_id", signal.lowercased)
        writer.member(more.name, more.value)
        writer.endObject()
        return writer.bytes
    }

    /// As the lane publishes it.
    var accepted: AcceptedSignal { AcceptedSignal(id: signalID, event: event, traceparent: traceparent) }

    /// The run's time, and bits of SHA-256 of run, step and item.
    static func id(run: UUID, position: Int, item: Int) -> UUID {
        let digest = SHA256.hash(data: Array("\(run.lowercased)/\(position)/\(item)".utf8))
        let words = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        return UUIDv7.make(
            milliseconds: UUIDv7.milliseconds(of: run) ?? 0,
            high: UInt64(bigEndian: words.0),
            low: UInt64(bigEndian: words.1)
        )
    }

    /// The input of `signal.emit`.
    private struct Request {
        let type: String
        let subject: String?
        let data: ArraySlice<UInt8>?

        init(_ input: [UInt8]) throws(StepError) {
            guard let root = try? JSONDocument(parsing: input, limits: .wrapped).root, root.kind == .object else {
                throw StepError(code: "invalid_input", detail: "The input of signal.emit is an object.")
            }
            guard let type = root["type"]?.stringValue, (1...255).contains(type.utf8.count), type.isPlainText,
                !type.hasSuffix(".*")
            else {
                throw StepError(code: "invalid_input", detail: "signal.emit needs a type of 1 to 255 bytes.")
            }
            self.type = type
            switch root["subject"] {
            case .none: subject = nil
            case .some(let view):
                guard let text = view.stringValue, !text.isEmpty, text.isPlainText else {
                    throw StepError(code: "invalid_input", detail: "The subject of a signal is a text.")
                }
                subject = text
            }
            data = root["data"]?.rawBytes
        }

        func event(id: UUID, run: RunRecord, depth: Int, requester: String?) -> [UInt8] {
            var writer = JSONWriter(capacity: 512 + (data?.count ?? 0))
            writer.beginObject()
            writer.member("specversion", "1.0")
            writer.member("id", id.lowercased)
            writer.member("source", "/batuta/automations/\(run.automationKey)")
            writer.member("type", type)
            if let subject { writer.member("subject", subject) }
            writer.member("time", Timestamp.format(run.startedAt))
            writer.member("datacontenttype", "application/json")
            writer.member(IncomingSignal.idAttribute, id.lowercased)
            writer.member(SignalsAcceptedV2.depthAttribute, Int64(depth))
            writer.member("batutarunid", run.id.lowercased)
            if let requester { writer.member(SignalsAcceptedV1.requesterAttribute, requester) }
            if let traceparent = run.traceparent { writer.member("traceparent", traceparent) }
            if let data {
                writer.key("data")
                writer.raw(data)
            }
            writer.endObject()
            return writer.bytes
        }
    }
}
