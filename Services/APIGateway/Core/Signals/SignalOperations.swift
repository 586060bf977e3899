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
        let signal = try reader.read(request)
        let caller = request.caller
        let receipt = try await intake.accept(signal, token: caller.token, generation: caller.generation)
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.member("signal_id", receipt.signalID.lowercased)
        writer.member("id", signal.id)
        writer.member("source", signal.source)
        writer.member("type", signal.type)
        writer.member("duplicate", receipt.isDuplicate)
        writer.endObject()
        return GatewayAnswer(.accepted, writer.bytes)
    }

    /// `GET /api/signals/{signal_id}`.
    ///
    /// The engine is asked even where the broker's confirmation is not recorded yet, because it may have taken the signal
    /// all the same; without its answer the state is not known, so there is a 503 and no guess.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let signalID = request.parameters.first.flatMap({ UUID(uuidString: $0) }),
            let milliseconds = UUIDv7.milliseconds(of: signalID),
            let signal = try await repository.signal(
                signalID,
                of: request.caller.principal.tenant,
                deadline: .now + patience
            )
        else {
            throw GatewayProblem.notFound
        }
        var question = JSONWriter()
        question.beginObject()
        question.member("signal_id", signalID.lowercased)
        question.member("type", signal.type)
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
        writer.member(
            "accepted_at",
            Timestamp(microseconds: Int64(clamping: milliseconds) * 1_000).description
        )
        writer.member("status", isProcessed ? "processed" : signal.isPublished ? "published" : "accepted")
        writer.key("decisions")
        writer.raw(decisions.rawBytes)
        writer.endObject()
        return GatewayAnswer(.ok, writer.bytes)
    }
}
