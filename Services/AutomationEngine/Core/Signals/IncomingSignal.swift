import CloudEvents
import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON
import Messaging

/// A signal as the engine received it: read once, its bytes kept.
struct IncomingSignal: Sendable {
    var id: UUID
    var tenant: String
    var type: String
    var traceparent: String?
    /// How many signals led to it, one emitted for the other.
    var depth: Int
    /// The event in structured form, as the gateway stamped it.
    var view: JSONView
    /// The one automation that it is for, and where it comes from; nil for one that wakes every automation it matches.
    var aim: SignalsAcceptedV2.Aim?
    /// Whether what it starts only says what it would do; no signal that comes from elsewhere is for a dry run.
    var isForDryRun = false

    /// The event's bytes.
    var event: [UInt8] { Array(view.rawBytes) }

    /// SHA-256 of the event, in hex.
    var hash: String {
        var hasher = SHA256()
        view.withRawBytes { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return hasher.finalize().hex
    }

    /// Who has asked for the run that it starts; nil where nobody has.
    var actor: AuditActor? {
        if let person = view[SignalsAcceptedV1.requesterAttribute]?.stringValue {
            return AuditActor(type: .user, id: person)
        }
        guard let actor = aim?.metadata["source"]?["actor"], let id = actor["id"]?.stringValue,
            let type = actor["type"]?.stringValue.flatMap(AuditActor.Kind.init(rawValue:))
        else {
            return nil
        }
        return AuditActor(type: type, id: id, via: actor["via"]?.stringValue)
    }

    /// The person who has asked for the run that it starts; nil where it comes from a system.
    var requester: String? { actor.flatMap { $0.type == .system ? nil : $0.id } }

    /// The step that waits for the end of the run that it starts.
    var caller: RunCaller? { aim.flatMap { RunCaller($0.metadata, signal: id) } }

    /// The attribute in which an event carries the id that the gateway gave it.
    static let idAttribute = "batutasignalid"
}

/// Why a delivery cannot be read as signals.
struct UnreadableDelivery: Error, CustomStringConvertible {
    var reason: String

    var description: String { reason }
}

extension IncomingSignal {
    /// Reads the signals of a delivery.
    ///
    /// - Throws: `UnreadableDelivery`, which lies in the data: another attempt would fail as well.
    static func read(_ delivery: Delivery) throws(UnreadableDelivery) -> [IncomingSignal] {
        guard let tenant = delivery.properties.headers["x-tenant"]?.stringValue, Tenant(tenant) != nil else {
            throw UnreadableDelivery(reason: "the header x-tenant is missing or wrong")
        }
        let version = delivery.properties.headers["x-schema-version"]?.intValue
        guard version == SignalsAcceptedV1.version || version == SignalsAcceptedV2.version else {
            throw UnreadableDelivery(reason: "the schema version of the message is not known to this release")
        }
        let root: JSONView
        do {
            root = try JSONDocument(parsing: delivery.body, limits: .wrapped).root
        } catch {
            throw UnreadableDelivery(reason: "the body is not JSON: \(error)")
        }
        guard root.kind == .array else {
            throw UnreadableDelivery(reason: "the body is not an array of events")
        }
        var signals: [IncomingSignal] = []
        for element in root.elements {
            signals.append(
                try IncomingSignal(element, tenant: tenant, mayBeAimed: version == SignalsAcceptedV2.version)
            )
        }
        return signals
    }

    /// Reads an event that was stamped before.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - tenant: Whose it is.
    ///   - mayBeAimed: Whether it came, or was stored, in a form in which signals may be aimed.
    /// - Throws: `UnreadableDelivery`.
    init(_ event: JSONView, tenant: String, mayBeAimed: Bool = true) throws(UnreadableDelivery) {
        var id: UUID?
        var type: String?
        var traceparent: String?
        var depth: Int64?
        guard event.kind == .object else {
            throw UnreadableDelivery(reason: "an element of the batch is not an event")
        }
        for member in event.members {
            switch member.key {
            case Self.idAttribute: id = member.value.stringValue.flatMap(UUID.init(uuidString:))
            case "type": type = member.value.stringValue
            case "traceparent": traceparent = member.value.stringValue
            case SignalsAcceptedV2.depthAttribute: depth = member.value.int64Value
            // Every other attribute is read by whoever needs it.
            default: break
            }
        }
        guard let id, UUIDv7.milliseconds(of: id) != nil, let type, (1...255).contains(type.utf8.count) else {
            throw UnreadableDelivery(reason: "an event of the batch has no type or no \(Self.idAttribute)")
        }
        self.init(
            id: id,
            tenant: tenant,
            type: type,
            traceparent: traceparent,
            depth: Int(clamping: max(0, depth ?? 0)),
            view: event
        )
        guard mayBeAimed else {
            return
        }
        do throws(ContractError) {
            aim = try SignalsAcceptedV2.Aim(event)
        } catch {
            throw UnreadableDelivery(reason: error.message)
        }
    }
}
