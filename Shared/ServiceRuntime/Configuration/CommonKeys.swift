import Glibc
import Logging

/// The keys that the services share.
package enum CommonKeys {
    /// Where the service's database is; its user and password are part of it.
    package static let databaseURL = ConfigurationKey<RedactedText>.secretURL(
        "BATUTA_DATABASE_URL",
        schemes: ["postgresql", "postgres"],
        allowsEmptyHost: true,
        help: "The PostgreSQL database, with user and password."
    )

    /// Where the message broker is; its user and password are part of it.
    package static let brokerURL = ConfigurationKey<RedactedText>.secretURL(
        "BATUTA_BROKER_URL",
        schemes: ["amqp", "amqps"],
        help: "The RabbitMQ broker, with user and password."
    )

    /// The level from which on lines are logged.
    package static let logLevel = ConfigurationKey<String>.choice(
        "BATUTA_LOG_LEVEL",
        of: Logger.Level.allCases.map(\.rawValue),
        default: "info",
        help: "The level from which on lines are logged."
    )

    /// The name that tells this replica from its siblings.
    package static let replica = ConfigurationKey<String>.string(
        "BATUTA_REPLICA",
        accepted: "1 to 63 of a-z, 0-9, dot and hyphen, the first a letter or a digit",
        default: ReplicaName.ofThisHost(),
        help: "The name that tells this replica from its siblings.",
        where: ReplicaName.isValid
    )

    /// How long a stop may take before what still runs is cancelled.
    package static let drainTimeout = ConfigurationKey<Duration>.duration(
        "BATUTA_DRAIN_TIMEOUT",
        in: .zero ... .seconds(3600),
        default: "30s",
        help: "How long a stop may take before what still runs is cancelled."
    )

    /// How long the service keeps what is finished.
    package static let retentionDays = ConfigurationKey<Int>.int(
        "BATUTA_RETENTION_DAYS",
        in: 30...36_500,
        default: 90,
        help: "How many days what is finished is kept; the audit log is kept for ever."
    )

    /// Where health and metrics are served.
    package static func metricsAddress(_ identity: ServiceIdentity) -> ConfigurationKey<ListenAddress> {
        .address(
            "BATUTA_METRICS_ADDRESS",
            default: "127.0.0.1:\(identity.metricsPort)",
            help: "Where /livez, /readyz and /metrics are served."
        )
    }
}

/// The rule for names of replicas: `^[a-z0-9][a-z0-9.-]{0,62}$`.
package enum ReplicaName {
    /// Whether a name keeps the rule.
    package static func isValid(_ name: String) -> Bool {
        guard (1...63).contains(name.utf8.count), let first = name.utf8.first else { return false }
        return isLetterOrDigit(first) && name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x2E }
    }

    /// The nearest name that keeps the rule: lower case, hyphens for what is not allowed, cut to length.
    package static func sanitized(_ hostName: String) -> String {
        let bytes = hostName.utf8.map { byte -> UInt8 in
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            return isLetterOrDigit(lower) || lower == 0x2E ? lower : 0x2D
        }
        let name = bytes.drop { !isLetterOrDigit($0) }.prefix(63)
        return name.isEmpty ? "localhost" : String(decoding: name, as: UTF8.self)
    }

    /// The name made from this machine's host name.
    package static func ofThisHost() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return sanitized("") }
        return sanitized(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
