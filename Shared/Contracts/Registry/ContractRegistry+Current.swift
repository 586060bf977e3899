extension ContractRegistry {
    /// Every contract of this release.
    package static let current: ContractRegistry = {
        var registry = ContractRegistry()
        registry.register(SignalsAcceptedV1.self)
        registry.register(AuditEntriesV1.self)
        registry.register(AuditKeepV1.self)
        return registry
    }()
}
