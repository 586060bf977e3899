import Domain
package import FoundationEssentials
package import JSON

/// The event of a signal that is aimed at one automation: made on the spot, or an earlier event once more.
package struct AimedEvent: Sendable {
    /// Where an aimed signal comes from: what `signal.metadata` shows of it.
    package struct Origin: Sendable {
        /// `manual`, `rerun` and the like.
        package var type: String
        package var actor: AuditActor
        package var traceparent: String?
        package var time: Timestamp
        /// What is told besides, in this order.
        package var more: [(name: String, value: String)]

        package init(
            type: String,
            actor: AuditActor,
            traceparent: String?,
            time: Timestamp,
            more: [(name: String, value: String)] = []
        ) {
            self.type = type
            self.actor = actor
            self.traceparent = traceparent
            self.time = time
            self.more = more
        }
    }

    package let signalID: UUID
    /// The source of the event, a URI reference.
    package let source: String
    /// The automation that it is for.
    package let target: SignalsAcceptedV2.Target
    package let origin: Origin

    package init(signalID: UUID, source: String, target: SignalsAcceptedV2.Target, origin: Origin) {
        self.signalID = signalID
        self.source = source
        self.target = target
        self.origin = origin
    }

    /// What an event has of its own is at most this long, in bytes.
    package static let maximumStamps = 4_096

    /// Attributes that an event of this kind has of its own.
    private static let own: Set<String> = [
        "id", "source", "batutasignalid", "traceparent", "tracestate", SignalsAcceptedV1.requesterAttribute,
        SignalsAcceptedV2.targetAttribute,
        SignalsAcceptedV2.metadataAttribute,
    ]

    /// An event with data of a person's.
    ///
    /// - Parameters:
    ///   - type: The event's type.
    ///   - data: JSON.
    ///   - depth: How many signals led to it, one emitted for the other; nil where nobody counts.
    /// - Returns: The event in structured form.
    package func event(type: String, data: [UInt8], depth: Int? = nil) -> [UInt8] {
        write(capacity: data.count) { writer in
            writer.member("specversion", "1.0")
            writer.member("type", type)
            writer.member("time", origin.time.description)
            writer.member("datacontenttype", "application/json")
            if let depth { writer.member(SignalsAcceptedV2.depthAttribute, Int64(depth)) }
            writer.member("data", raw: data)
        }
    }

    /// An earlier event once more, with an id, a source and a trace of its own.
    ///
    /// - Parameter original: The earlier event, in structured form.
    /// - Returns: The event in structured form.
    package func event(copying original: JSONView) -> [UInt8] {
        write(capacity: original.rawBytes.count) { writer in
            for member in original.members where !Self.own.contains(member.key) {
                writer.key(member.key)
                writer.raw(member.value.rawBytes)
            }
        }
    }

    /// What is the event's own comes last, where no data of the sender's can stand.
    private func write(capacity: Int, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        let id = signalID.lowercased
        var writer = JSONWriter(capacity: capacity + 768)
        writer.beginObject()
        members(&writer)
        writer.member("id", id)
        writer.member("source", source)
        writer.member("batutasignalid", id)
        if let traceparent = origin.traceparent { writer.member("traceparent", traceparent) }
        writer.member(SignalsAcceptedV2.targetAttribute, target.text)
        writer.member(SignalsAcceptedV2.metadataAttribute, String(decoding: origin.bytes, as: UTF8.self))
        writer.endObject()
        return writer.bytes
    }
}

extension AimedEvent.Origin {
    /// The metadata: `{source: {type, actor}, trace_id, day_key, executed_at}` and what is told besides.
    fileprivate var bytes: [UInt8] {
        let executedAt = time.description
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("source")
        writer.beginObject()
        writer.member("type", type)
        writer.key("actor")
        writer.beginObject()
        writer.member("type", actor.type.rawValue)
        writer.member("id", actor.id)
        if let via = actor.via { writer.member("via", via) }
        writer.endObject()
        writer.endObject()
        let trace = traceparent?.split(separator: "-") ?? []
        writer.member("trace_id", trace.count == 4 ? String(trace[1]) : nil)
        writer.member("day_key", String(executedAt.prefix(10)))
        writer.member("executed_at", executedAt)
        for (name, value) in more { writer.member(name, value) }
        writer.endObject()
        return writer.bytes
    }
}
