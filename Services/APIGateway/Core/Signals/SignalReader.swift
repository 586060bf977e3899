import CloudEvents
import Contracts
import Crypto
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import ServiceRuntime

/// Reads what `POST /api/signals` takes: CloudEvents in every form, or a plain `{"type", "data"}`.
struct SignalReader: Sendable {
    let limits: BodyLimits

    /// The longest `id` and `source`: together they must fit a key of the database.
    static let longestName = 1_024
    static let longestType = 255
    /// Attributes that are ours to set.
    static let reservedPrefix = "batuta"
    static let defaultSource = "/api/signals"

    /// Reads signals and stamps them.
    ///
    /// - Throws: `GatewayProblem`: 415 for another form, 413, or 400 with all faults.
    func read(_ request: GatewayRequest) throws -> SignalOrder {
        let stamps = SignalStamps(request)
        switch try SignalForm(request.headers) {
        case .structured:
            return .one(try structured(try JSONBody.document(request.body, limit: limits.signal), stamps))
        case .batched:
            return .batch(try batched(try JSONBody.document(request.body, limit: limits.request), stamps))
        case .binary:
            return .one(try binary(request, stamps))
        case .plain:
            let document = try JSONBody.document(request.body, limit: limits.signal)
            let signalID = UUIDv7.make()
            let key = try request.idempotencyKey()
            let plain = try PlainSignal(document.root, defaultID: key ?? signalID.lowercased)
            return .one(plain.signal(signalID: signalID, stamps))
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

/// What a request asks to be taken.
enum SignalOrder {
    case one(IncomingSignal)
    /// All of them or none, perhaps an empty list.
    case batch([IncomingSignal])
}

/// What signals are stamped with beside an id.
struct SignalStamps {
    let tenant: Tenant
    /// The trace of whatever has none of its own.
    let traceparent: String
    /// The person who sends them; nil for a program.
    var requester: String?
}

extension SignalStamps {
    init(_ request: GatewayRequest) {
        let principal = request.caller.principal
        self.init(
            tenant: principal.tenant,
            traceparent: request.trace.traceparent,
            // A sender can do nothing else, so nobody decides with its token about what its signals start.
            requester: principal.role == .sender ? nil : principal.name
        )
    }
}

/// In which form a body comes.
enum SignalForm: Equatable {
    case structured
    case batched
    case binary
    case plain

    /// - Throws: `GatewayProblem` with 415 for a form that is not taken.
    init(_ headers: HTTPFields) throws(GatewayProblem) {
        let header = headers[.contentType]
        let type = header.flatMap { MediaType($0) }
        switch ContentMode(contentType: header) {
        case .structured where type?.essence == "application/cloudevents+json" && type?.isUTF8 == true:
            self = .structured
        case .batched where type?.essence == "application/cloudevents-batch+json" && type?.isUTF8 == true:
            self = .batched
        case .structured, .batched:
            throw Self.unsupported
        case .other where headers.contains { CloudEvent.isBinaryField($0.name.rawName) }:
            // JSON is UTF-8; another promise could not be kept.
            guard type?.isJSON != true || type?.isUTF8 == true else {
                throw Self.unsupported
            }
            self = .binary
        case .other:
            guard let type, type.essence == "application/json", type.isUTF8 else {
                throw Self.unsupported
            }
            self = .plain
        }
    }

    private static let unsupported = GatewayProblem(
        .unsupportedMediaType,
        Sentence(
            "Post application/cloudevents+json, application/cloudevents-batch+json, any type with ce- headers, or "
                + "application/json with type and data; JSON is UTF-8.",
            "Envíe application/cloudevents+json, application/cloudevents-batch+json, cualquier tipo con cabeceras ce-, "
                + "o application/json con type y data; JSON es UTF-8."
        )
    )
}
