import Contracts
import Domain
import FoundationEssentials
import JSON

/// An accepted signal once more, as a fresh signal that is aimed at one automation.
enum RerunSignal {
    static let source = "/batuta/rerun"
    static let targetAttribute = SignalsAcceptedV2.targetAttribute

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
        let event = AimedEvent(
            signalID: signalID,
            source: source,
            target: .id(replay.target.id),
            origin: AimedEvent.Origin(
                type: "rerun",
                actor: replay.actor,
                traceparent: replay.traceparent,
                time: now,
                // `batuta check` counts the signals of a replay by the end of their events.
                more: [("rerun_of", original.signalID.lowercased), ("replay_id", replay.id.lowercased)]
            )
        )
        return IncomingSignal(
            signalID: signalID,
            tenant: replay.tenant,
            type: original.type,
            source: source,
            id: signalID.lowercased,
            digest: SignalReader.digest(type: original.type, data: original.event["data"]?.rawBytes ?? []),
            event: event.event(copying: original.event),
            traceparent: replay.traceparent
        )
    }
}
