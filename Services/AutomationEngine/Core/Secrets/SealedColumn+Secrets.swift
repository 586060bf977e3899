import Secrets
import ServiceBase

extension SealedColumn {
    /// The secrets that automations name.
    static let secrets = SealedColumn(.engineSecret, table: "engine.secrets", column: "sealed", name: "name")
}
