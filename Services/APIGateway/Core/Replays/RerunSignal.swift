import Contracts
import Domain
import FoundationEssentials
import JSON

/// An accepted signal once more, as a fresh signal that is aimed at one automation.
enum RerunSignal {
    static let source = "/batuta/rerun"
    static let targetAttribute = SignalsAcceptedV2.targetAttribute

    /// Attributes that the fresh signal has of its own.
    private static let own: Set<String> = [
        "id", "source", "batutasignalid", "traceparent", "tracestate", targetAttribute,
        SignalsAcceptedV2.metadataAttribute,
    ]

    /// Makes the fresh signal: the original's event with an id, a source and a trace of its own.
    ///
    /// - Parameters:
    ///   - original: The signal that is sent once more.
    ///   - replay: On whose behalf.
    ///   - signalID: The fresh signal's id.
    ///   - now: When.
    /// - Returns: The signal, as it is stored and published.
    static func make(
        _ original: ReplayPage.Match,
        for replay: Replay,
        signalID: UUID = UUIDv7.make(),
        at now: Timestamp
    ) -> IncomingSignal {
        let id = signalID.lowercased
        var writer = JSONWriter(capacity: original.event.rawBytes.count + 768)
        writer.beginObject()
        for member in original.event.members where !own.contains(member.key) {
            writer.key(member.key)
            writer.raw(member.value.rawBytes)
        }
        writer.member("id", id)
        writer.member("source", source)
        writer.member("batutasignalid", id)
        writer.member("traceparent", replay.traceparent)
        writer.member(targetAttribute, replay.target.id.lowercased)
        writer.member(
            SignalsAcceptedV2.metadataAttribute,
            String(decoding: metadata(original.signalID, replay, now), as: UTF8.self)
        )
        writer.endObject()
        return IncomingSignal(
            signalID: signalID,
            tenant: replay.tenant,
            type: original.type,
            source: source,
            id: id,
            digest: SignalReader.digest(type: original.type, data: original.event["data"]?.rawBytes ?? []),
            event: writer.bytes,
            traceparent: replay.traceparent
        )
    }

    /// What `signal.metadata` shows.
    private static func metadata(_ original: UUID, _ replay: Replay, _ now: Timestamp) -> [UInt8] {
        let executedAt = now.description
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("source")
        writer.beginObject()
        writer.member("type", "rerun")
        writer.key("actor")
        writer.beginObject()
        writer.member("type", replay.actor.type.rawValue)
        writer.member("id", replay.actor.id)
        if let via = replay.actor.via { writer.member("via", via) }
        writer.endObject()
        writer.endObject()
        let trace = replay.traceparent.split(separator: "-")
        writer.member("trace_id", trace.count == 4 ? String(trace[1]) : nil)
        writer.member("day_key", String(executedAt.prefix(10)))
        writer.member("executed_at", executedAt)
        writer.member("rerun_of", original.lowercased)
        writer.member("replay_id", replay.id.lowercased)
        writer.endObject()
        return writer.bytes
    }
}
