import CloudEvents
import Contracts
import Crypto
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import ServiceRuntime

/// Reads the body of `POST /api/signals`: a structured CloudEvent, or a plain `{"type", "data"}`.
struct SignalReader: Sendable {
    /// The largest body, in bytes.
    let limit: Int

    /// The longest `id` and `source`: together they must fit a key of the database.
    static let longestName = 1_024
    static let longestType = 255
    /// Attributes that are ours to set.
    static let reservedPrefix = "batuta"
    static let defaultSource = "/api/signals"

    /// Reads a signal and stamps it.
    ///
    /// - Throws: `GatewayProblem`: 415 for another form, 413, or 400 with all faults.
    func read(_ request: GatewayRequest) throws -> IncomingSignal {
        let form = try SignalForm(request.headers)
        let document = try JSONBody.document(request.body, limit: limit)
        let signalID = UUIDv7.make()
        let traceparent = request.trace.traceparent
        switch form {
        case .structured:
            return try structured(document, signalID, traceparent, request.caller.principal.tenant)
        case .plain:
            let key = try request.idempotencyKey()
            let plain = try PlainSignal(document.root, defaultID: key ?? signalID.lowercased)
            return plain.signal(signalID: signalID, tenant: request.caller.principal.tenant, traceparent: traceparent)
        }
    }

    /// SHA-256 of type and data.
    static func digest(type: String, data: ArraySlice<UInt8>) -> [UInt8] {
        var sha = SHA256()
        var type = type
        type.withUTF8 { sha.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        withUnsafeBytes(of: UInt8(0)) { sha.update(bufferPointer: $0) }
        data.withUnsafeBytes { sha.update(bufferPointer: $0) }
        return sha.finalize().withUnsafeBytes { Array($0) }
    }
}

/// In which form a body comes.
enum SignalForm: Equatable {
    case structured
    case plain

    /// - Throws: `GatewayProblem` with 415 for a form that is not taken.
    init(_ headers: HTTPFields) throws(GatewayProblem) {
        guard let header = headers[.contentType], let type = MediaType(header) else {
            throw Self.unsupported
        }
        // The batch's type begins like that of a single event, so it is looked at first.
        if type.essence.hasPrefix("application/cloudevents-batch") {
            throw GatewayProblem(
                .unsupportedMediaType,
                Sentence(
                    "Batches of CloudEvents are not supported; post one event at a time.",
                    "Los lotes de CloudEvents no son compatibles; envíe los eventos de uno en uno."
                )
            )
        }
        guard type.isUTF8 else {
            throw Self.unsupported
        }
        if type.essence == "application/cloudevents+json" {
            self = .structured
            return
        }
        if headers.contains(where: { $0.name.canonicalName.hasPrefix("ce-") }) {
            throw GatewayProblem(
                .unsupportedMediaType,
                Sentence(
                    "CloudEvents in binary form (ce- headers) are not supported; post the structured form.",
                    "Los CloudEvents en forma binaria (cabeceras ce-) no son compatibles; envíe la forma estructurada."
                )
            )
        }
        guard type.essence == "application/json" else {
            throw Self.unsupported
        }
        self = .plain
    }

    private static let unsupported = GatewayProblem(
        .unsupportedMediaType,
        Sentence(
            "Post application/cloudevents+json, or application/json with type and data.",
            "Envíe application/cloudevents+json, o application/json con type y data."
        )
    )
}
