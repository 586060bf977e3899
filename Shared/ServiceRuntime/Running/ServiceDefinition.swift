/// What a service declares about itself before it is built: its name, its configuration and its metrics.
package struct ServiceDefinition: Sendable {
    /// What a service shares with others.
    package enum Resource: Sendable, CaseIterable {
        /// The PostgreSQL database: `BATUTA_DATABASE_URL` is required.
        case database
        /// The RabbitMQ broker: `BATUTA_BROKER_URL` is required.
        case broker
    }

    /// Which service it is.
    package let identity: ServiceIdentity
    /// The keys of the service: the common ones first, then its own.
    package let schema: ConfigurationSchema
    /// The metrics that the service makes.
    package let metrics: [MetricDescription]
    /// Where health and metrics are served.
    package let metricsAddress: ConfigurationKey<ListenAddress>

    /// Declares a service.
    ///
    /// - Parameters:
    ///   - identity: Which service it is.
    ///   - resources: What it needs; the keys of the others are known and not read.
    ///   - keys: The keys of its own.
    ///   - alsoKnown: Names of other services' keys that may stand in the same environment; a `*` at the end matches
    ///     a rest.
    ///   - metrics: The metrics that it makes.
    package init(
        _ identity: ServiceIdentity,
        needs resources: Set<Resource> = [.database, .broker],
        keys: [any ConfigurationDeclaration] = [],
        alsoKnown: [String] = [],
        metrics: [MetricDescription] = []
    ) {
        let metricsAddress = CommonKeys.metricsAddress(identity)
        var common: [any ConfigurationDeclaration] = []
        var known = alsoKnown
        for (resource, key) in [(Resource.database, CommonKeys.databaseURL), (.broker, CommonKeys.brokerURL)] {
            if resources.contains(resource) {
                common.append(key)
            } else {
                known += [key.name, key.name + "_FILE"]
            }
        }
        if resources.contains(.database) {
            common.append(CommonKeys.retentionDays)
        } else {
            known.append(CommonKeys.retentionDays.name)
        }
        common += [
            metricsAddress, CommonKeys.logLevel, CommonKeys.replica, CommonKeys.drainTimeout,
        ]
        self.identity = identity
        self.schema = ConfigurationSchema(common + keys, alsoKnown: known)
        self.metrics = metrics
        self.metricsAddress = metricsAddress
    }

    /// The environment variables that the service reads, for `--help`.
    package var helpText: String {
        "ENVIRONMENT:\n" + schema.listing()
    }
}
