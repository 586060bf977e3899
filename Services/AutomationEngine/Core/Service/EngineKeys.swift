package import ServiceRuntime

/// The engine's own settings.
package enum EngineKeys {
    /// How many batches may be in their transaction at once.
    package static let lanes = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_LANES",
        in: 1...64,
        default: 4,
        help: "how many transactions the engine runs at once"
    )
    /// How many messages one batch takes at most.
    package static let batch = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_BATCH",
        in: 1...1_000,
        default: 200,
        help: "how many messages one batch takes at most"
    )

    /// All of them.
    package static let all: [any ConfigurationDeclaration] = [lanes, batch]
}
