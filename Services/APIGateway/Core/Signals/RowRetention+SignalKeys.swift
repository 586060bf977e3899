import Persistence
package import ServiceBase

extension RowRetention {
    /// For how many days a source's id is known to have been used: a repeat after that is a new signal.
    package static let signalKeyDays = 30

    /// The keys of signals, by the time in the signal's own id.
    package static let signalKeys = RowRetention(
        "signal_keys",
        in: .gateway,
        where: "signal_id < gateway.uuid7_floor(now() - interval '\(signalKeyDays) days')",
        orderedBy: "signal_id"
    )
}
