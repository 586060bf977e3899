import Persistence
package import ServiceBase

extension RowRetention {
    /// The replays that have ended.
    package static func replays(keeping days: Int) -> RowRetention {
        RowRetention("replays", in: .gateway, by: "forget_replays", keeping: days)
    }
}
