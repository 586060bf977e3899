import Contracts
import Crypto
import JSON

extension HookReader {
    /// `github.<event>`, and the action where the body has one.
    func gitHub(_ root: JSONView) throws -> Draft {
        guard let event = try delivery.word(.gitHubEvent) else {
            throw GatewayProblem.invalidParameter("X-GitHub-Event")
        }
        return Draft(
            type: [event, root["action"]?.stringValue],
            id: try delivery.word(.gitHubDelivery),
            subject: root["repository"]?["full_name"]?.stringValue,
            data: Array(root.rawBytes)
        )
    }

    /// `stripe.<type>`, at the time of the event, about its object.
    func stripe(_ root: JSONView) -> Draft {
        let created = root["created"]?.int64Value.flatMap { (0...253_402_300_799).contains($0) ? $0 : nil }
        return Draft(
            type: [root["type"]?.stringValue],
            id: root["id"]?.stringValue,
            subject: root["data"]?["object"]?["id"]?.stringValue,
            time: created.map { Timestamp(microseconds: $0 * 1_000_000).description },
            data: Array(root.rawBytes)
        )
    }

    /// The body's own `type`, or `webhook`; the id is signed with the body.
    func standard(_ root: JSONView) throws -> Draft {
        Draft(
            type: [root["type"]?.stringValue],
            id: try delivery.word(.webhookID),
            time: root["timestamp"]?.stringValue,
            data: Array(root.rawBytes)
        )
    }

    /// What the mapping says.
    func generic(_ root: JSONView, _ mapping: HookMapping) -> Draft {
        func text(_ pointer: JSONPointer?) -> String? {
            guard let value = pointer.flatMap({ root[$0] }) else {
                return nil
            }
            return value.stringValue ?? value.int64Value.map { String($0) }
        }
        let data = mapping.data.flatMap { root[$0] } ?? root
        return Draft(
            type: [text(mapping.type)],
            id: text(mapping.id),
            source: text(mapping.source),
            subject: text(mapping.subject),
            time: text(mapping.time),
            data: Array(data.rawBytes)
        )
    }

    /// One event for each alert: `alertmanager.firing` or `alertmanager.resolved`, with what its group has in common.
    func alertmanager(_ root: JSONView) throws -> [Draft] {
        var faults: [GatewayProblem.Fault] = []
        func text(_ name: String, of view: JSONView, at place: JSONPointer = .root) -> String {
            guard let text = view[name]?.stringValue, !text.isEmpty else {
                faults.append(
                    GatewayProblem.Fault(
                        pointer: place.appending(name).text,
                        code: "missing",
                        Sentence("It must be a text.", "Debe ser un texto.")
                    )
                )
                return ""
            }
            return text
        }
        let groupKey = text("groupKey", of: root)
        guard let alerts = root["alerts"], alerts.kind == .array else {
            faults.append(.wrong("/alerts", Sentence("It must be a list of alerts.", "Debe ser una lista de alertas.")))
            throw GatewayProblem(.invalidEvent, faults: faults)
        }
        let common = Self.groupMembers.compactMap { name in root[name].map { (name, $0) } }
        var drafts: [Draft] = []
        var bytes = 0
        for (index, alert) in alerts.elements.enumerated() where faults.count < 64 {
            let place = JSONPointer(tokens: ["alerts", String(index)])
            let status = text("status", of: alert, at: place)
            let start = text("startsAt", of: alert, at: place)
            let identity = [groupKey, text("fingerprint", of: alert, at: place), status, start]
            let data = Self.data(of: alert, common)
            bytes += data.count
            guard bytes <= limits.hook else {
                throw GatewayProblem(.tooLarge)
            }
            drafts.append(
                Draft(
                    type: [status],
                    id: Self.id(of: identity),
                    subject: alert["labels"]?["alertname"]?.stringValue,
                    time: status == "resolved" ? alert["endsAt"]?.stringValue : start,
                    data: data
                )
            )
        }
        guard faults.isEmpty else {
            throw GatewayProblem(.invalidEvent, faults: faults)
        }
        return drafts
    }

    /// What the alerts of one group share.
    private static let groupMembers = [
        "receiver", "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "externalURL",
    ]

    private static func data(of alert: JSONView, _ common: [(String, JSONView)]) -> [UInt8] {
        var writer = JSONWriter(capacity: alert.rawBytes.count + 512)
        writer.beginObject()
        for member in alert.members {
            writer.key(member.key)
            writer.raw(member.value.rawBytes)
        }
        for (name, value) in common where alert[name] == nil {
            writer.key(name)
            writer.raw(value.rawBytes)
        }
        writer.endObject()
        return writer.bytes
    }

    /// SHA-256 of the JSON array of the texts, so that no two identities run together.
    static func id(of texts: [String]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for text in texts {
            writer.string(text)
        }
        writer.endArray()
        return hexadecimal(SHA256.hash(data: writer.bytes))
    }
}
