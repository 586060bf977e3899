import Persistence
package import ServiceBase

extension RowRetention {
    /// The commands carried out, by the time in their ids.
    package static func commands(keeping days: Int) -> RowRetention {
        RowRetention(
            "inbox",
            in: .audit,
            where: "command_id < audit.uuid7_floor(now() - interval '\(days) days')",
            orderedBy: "command_id"
        )
    }

    /// What was begun to be exported days ago; the entries that say so stay.
    package static let exports = RowRetention(
        "exports",
        in: .audit,
        where: "begun_at < now() - interval '2 days'",
        orderedBy: "begun_at"
    )
}
