import Secrets
import ServiceBase

extension SealedColumn {
    /// The secrets of hooks, the present and the previous ones.
    static let hooks = [
        SealedColumn(
            .gatewayHook,
            table: "gateway.hooks",
            column: "secret",
            name: "hook_id",
            nameType: "uuid",
            version: "secret_version"
        ),
        SealedColumn(
            .gatewayHook,
            table: "gateway.hooks",
            column: "previous_secret",
            name: "hook_id",
            nameType: "uuid",
            version: "secret_version - 1"
        ),
    ]
}
