extension ContractRegistry {
    /// Every contract of this release.
    package static let current: ContractRegistry = {
        var registry = ContractRegistry()
        registry.register(SignalsAcceptedV2.self, previous: SignalsAcceptedV1.self) { SignalsAcceptedV2($0) }
        registry.register(AuditEntriesV1.self)
        registry.register(AuditKeepV1.self)
        return registry
    }()
}
