import CloudEvents
import Contracts
import Crypto
import FoundationEssentials
import HTTPTypes
import JSON
import ServiceRuntime

/// Makes signals of a webhook whose signature was found to be right.
struct HookReader {
    let hook: Hook
    let delivery: HookDelivery
    let body: [UInt8]
    let limits: BodyLimits

    /// What one webhook may come to: its alerts each repeat what their group has in common.
    private static let mostEventBytes = 8 * 1_024 * 1_024
    /// One level less than a signal may have: the event is around it.
    private static let maximumDepth = JSONBody.maximumDepth - 1

    /// The signals in their order, perhaps none.
    ///
    /// - Throws: `GatewayProblem`: 415, 413, or 400 with all faults.
    func signals() throws -> [IncomingSignal] {
        let document = try document()
        let mapping = try mapping()
        let drafts =
            switch hook.kind {
            case .github: [try gitHub(document.root)]
            case .alertmanager: try alertmanager(document.root)
            case .stripe: [stripe(document.root)]
            case .standardWebhooks: [try standard(document.root)]
            case .generic: [generic(document.root, mapping)]
            }
        var bytes = 0
        var signals: [IncomingSignal] = []
        for draft in drafts {
            let signal = try signal(draft, keep: mapping.keep)
            bytes += signal.event.count
            guard bytes <= Self.mostEventBytes else {
                throw GatewayProblem(.tooLarge)
            }
            signals.append(signal)
        }
        return signals
    }

    private func document() throws -> JSONDocument {
        let type = delivery.headers[.contentType].flatMap { MediaType($0) }
        if hook.kind == .github, type?.essence == "application/x-www-form-urlencoded" {
            guard let text = String(validating: body, as: UTF8.self),
                let payload = Query(text[...])?["payload"]
            else {
                throw GatewayProblem(
                    .invalidRequest,
                    Sentence("The form has no readable payload.", "El formulario no tiene un payload legible.")
                )
            }
            return try JSONBody.document(Array(payload.utf8), limit: limits.hook, depth: Self.maximumDepth)
        }
        guard let type, type.isJSON, type.isUTF8 else {
            throw GatewayProblem(
                .unsupportedMediaType,
                Sentence(
                    "Have the publisher send application/json.",
                    "Configure el emisor para enviar application/json."
                )
            )
        }
        return try JSONBody.document(body, limit: limits.hook, depth: Self.maximumDepth)
    }

    /// The source's mapping, which was checked when it was stored.
    private func mapping() throws -> HookMapping {
        guard let text = hook.mapping else {
            return HookMapping()
        }
        var faults: [GatewayProblem.Fault] = []
        let mapping = HookMapping(try JSONDocument(parsing: text).root, of: hook.kind, faults: &faults)
        guard faults.isEmpty else {
            throw GatewayProblem(.internalError)
        }
        return mapping
    }

    private func signal(_ draft: Draft, keep: KeepTree?) throws -> IncomingSignal {
        var data = draft.data
        let room = JSONLimits(maximumBytes: limits.hook, maximumDepth: JSONLimits.wrapped.maximumDepth)
        if let keep, let document = try? JSONDocument(parsing: data, limits: room) {
            var writer = JSONWriter()
            document.root.kind == .object ? keep.write(document.root, to: &writer) : writer.raw(document.root.rawBytes)
            data = writer.bytes
        }
        guard data.count <= limits.signal else {
            throw tooLarge
        }
        do {
            let event = try CloudEvent(
                id: draft.id ?? Self.hexadecimal(SHA256.hash(data: body)),
                source: draft.source ?? hook.url,
                type: type(draft.type),
                subject: draft.subject.flatMap { CloudEvent.isText($0) ? $0 : nil },
                time: draft.time.flatMap { CloudEvent.isTime($0) ? $0 : nil },
                data: data
            )
            let signal = try SignalReader.checked(
                event,
                SignalStamps(tenant: hook.tenant, traceparent: delivery.trace.traceparent)
            )
            guard signal.event.count <= limits.signal + SignalReader.stampBytes else {
                throw tooLarge
            }
            return signal
        } catch let error as CloudEventError {
            throw GatewayProblem(.invalidEvent, faults: error.faults.map { GatewayProblem.Fault($0) })
        }
    }

    /// The source's prefix and what the publisher calls the event.
    private func type(_ names: [String?]) -> String {
        let names = [hook.typePrefix ?? hook.kind.typePrefix] + names
        let type = names.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ".")
        return type.isEmpty ? "webhook" : type
    }

    private var tooLarge: GatewayProblem {
        GatewayProblem(
            .tooLarge,
            Sentence(
                "A signal has at most \(limits.signal) bytes; the source's mapping can keep a part of the body.",
                "Una señal tiene como máximo \(limits.signal) bytes; el mapeo puede conservar una parte del cuerpo."
            )
        )
    }

    static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// What a publisher says of one event.
    struct Draft {
        /// What follows the source's prefix.
        var type: [String?]
        /// The publisher's own id of the delivery or the event; the body's SHA-256 where it has none.
        var id: String?
        /// The hook's own address where the body names none.
        var source: String?
        var subject: String?
        var time: String?
        var data: [UInt8]
    }
}
