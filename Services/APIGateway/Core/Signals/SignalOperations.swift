import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON

/// Takes signals, and says what became of them.
struct SignalOperations: Sendable {
    let intake: SignalIntake
    let repository: SignalRepository
    let engine: EngineClient
    let reader: SignalReader
    let patience: Duration

    /// `POST /api/signals`.
    func post(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let credential = TokenCredential(token: request.caller.token, generation: request.caller.generation)
        let tenant = request.caller.principal.tenant
        switch try reader.read(request) {
        case .one(let signal):
            let receipts = try await intake.accept([signal], of: tenant, credential: credential)
            guard let receipt = receipts.first else {
                throw GatewayProblem(.internalError)
            }
            var writer = JSONWriter(capacity: 256)
            signal.write(receipt, to: &writer)
            return GatewayAnswer(.accepted, writer.bytes)
        case .batch(let signals):
            return Self.answer(signals, try await intake.accept(signals, of: tenant, credential: credential))
        }
    }

    /// What the sender of many signals is told, in the order of the signals.
    static func answer(_ signals: [IncomingSignal], _ receipts: [SignalReceipt]) -> GatewayAnswer {
        var writer = JSONWriter(capacity: 256 * signals.count + 32)
        writer.beginObject()
        writer.key("signals")
        writer.beginArray()
        for (signal, receipt) in zip(signals, receipts) {
            signal.write(receipt, to: &writer)
        }
        writer.endArray()
        writer.endObject()
        return GatewayAnswer(.accepted, writer.bytes)
    }

    /// When a signal was accepted, which its id says.
    static func acceptance(of signalID: UUID) -> String {
        let milliseconds = Int64(clamping: UUIDv7.milliseconds(of: signalID) ?? 0)
        return Timestamp(microseconds: milliseconds * 1_000).description
    }

    /// `GET /api/signals/{signal_id}`.
    ///
    /// What this service has not accepted itself a run may have emitted, which the engine knows.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let signalID = request.parameters.first.flatMap({ UUID(uuidString: $0) }),
            UUIDv7.milliseconds(of: signalID) != nil
        else {
            throw GatewayProblem.notFound
        }
        let accepted = try await repository.signal(
            signalID,
            of: request.caller.principal.tenant,
            deadline: .now + patience
        )
        if let accepted {
            return try await answer(signalID, accepted, request)
        }
        var question = JSONWriter()
        question.beginObject()
        question.member("signal_id", signalID.lowercased)
        question.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineSignalsGet, question.bytes, for: request))
    }

    /// What became of an accepted signal.
    ///
    /// The engine is asked even where the broker's confirmation is not recorded yet, because it may have taken the signal
    /// all the same; without its answer the state is not known, so there is a 503 and no guess.
    private func answer(
        _ signalID: UUID,
        _ signal: SignalRepository.Accepted,
        _ request: GatewayRequest
    ) async throws -> GatewayAnswer {
        var question = JSONWriter()
        question.beginObject()
        question.member("signal_id", signalID.lowercased)
        question.member("type", signal.type)
        if let event = try await repository.event(of: signalID, tenant: request.caller.principal.tenant) {
            question.key("event")
            question.raw(event)
        }
        question.endObject()
        let answer = try engine.document(
            of: try await engine.ask(RequestType.engineSignalsDecisions, question.bytes, for: request)
        )
        guard let isProcessed = answer.root["processed"]?.boolValue, let decisions = answer.root["decisions"] else {
            throw GatewayProblem(.internalError)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("signal_id", signalID.lowercased)
        writer.member("id", signal.id)
        writer.member("source", signal.source)
        writer.member("type", signal.type)
        writer.member("accepted_at", Self.acceptance(of: signalID))
        writer.member("status", SignalStatus(isProcessed: isProcessed, isPublished: signal.isPublished).rawValue)
        writer.key("decisions")
        writer.raw(decisions.rawBytes)
        writer.endObject()
        return GatewayAnswer(.ok, writer.bytes)
    }
}

extension IncomingSignal {
    /// Writes what its sender is told.
    fileprivate func write(_ receipt: SignalReceipt, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("signal_id", receipt.signalID.lowercased)
        writer.member("id", id)
        writer.member("source", source)
        writer.member("type", type)
        writer.member("duplicate", receipt.isDuplicate)
        writer.endObject()
    }
}
