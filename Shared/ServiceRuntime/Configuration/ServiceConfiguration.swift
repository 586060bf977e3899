package import Logging

/// The values of a service's keys, read once at the start.
package struct ServiceConfiguration: Sendable {
    /// Where a value came from.
    package enum Origin: String, Sendable {
        /// The declaration's default, or nothing.
        case `default`
        /// The variable itself.
        case environment
        /// The file that `_FILE` names.
        case file
    }

    /// One key of the effective configuration, as it may be shown.
    package struct Entry: Sendable, Equatable {
        /// The environment variable.
        package let name: String
        /// The value, with secrets redacted; empty where there is none.
        package let shown: String
        /// Where it came from.
        package let origin: Origin
    }

    private let values: [String: any Sendable]
    /// The effective configuration, redacted, in the order of the declarations.
    package let entries: [Entry]
    /// A sentence for each unknown `BATUTA_…` name.
    package let warnings: [String]

    init(values: [String: any Sendable], entries: [Entry], warnings: [String]) {
        self.values = values
        self.entries = entries
        self.warnings = warnings
    }

    /// The value of a key that the service has declared; asking for another one is a bug of the caller.
    package subscript<Value>(key: ConfigurationKey<Value>) -> Value {
        guard let held = values[key.name] as? ConfigurationValue<Value> else {
            preconditionFailure("\(key.name) is not among the service's declared keys")
        }
        return held.value
    }

    /// The effective configuration as metadata for one log line.
    package var metadata: Logger.Metadata {
        Logger.Metadata(uniqueKeysWithValues: entries.map { ($0.name, .string($0.shown)) })
    }
}
