package import CoreMetrics
package import Logging
package import Persistence
package import Secrets
import ServiceLifecycle

/// Seals anew, at the start of a service, what was sealed with a key that is not the first of the key file any more.
///
/// Nothing that users see changes, so there is no audit entry. A gauge says how many secrets are still sealed with other
/// keys: at 0, on every replica of every service, those keys can leave the file. Whatever another replica seals with an
/// older first key in the meantime is sealed anew when that replica is restarted with the new file.
package struct SecretResealer: Service {
    /// The gauge's name; its dimension `kind` says of what.
    package static let gaugeLabel = "batuta_secrets_under_old_keys"
    private static let batch = 100

    /// What one pass has come to.
    package struct Outcome: Sendable, Equatable {
        /// How many secrets were sealed anew.
        package var resealed = 0
        /// How many were left as they are, because they do not open.
        package var unopened = 0
    }

    private let columns: [SealedColumn]
    private let ring: SecretKeyRing
    private let database: PostgresClient
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let interval: Duration
    private let retryInterval: Duration
    private let gauges: [SecretContext.Kind: Gauge]

    /// - Parameters:
    ///   - columns: Where the service's sealed secrets are.
    ///   - ring: The keys.
    ///   - database: Logged in as the service.
    ///   - logger: Where it says what it has done.
    ///   - clock: What the pauses are taken by.
    ///   - interval: The pause between two counts.
    ///   - retryInterval: The pause after a failure.
    ///   - metrics: Where the gauge goes.
    package init(
        columns: [SealedColumn],
        ring: SecretKeyRing,
        database: PostgresClient,
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        interval: Duration = .seconds(600),
        retryInterval: Duration = .seconds(30),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.columns = columns
        self.ring = ring
        self.database = database
        self.logger = logger
        self.clock = clock
        self.interval = interval
        self.retryInterval = retryInterval
        gauges = Dictionary(
            columns.map { column in
                let dimensions = [("kind", column.kind.rawValue)]
                return (column.kind, Gauge(label: Self.gaugeLabel, dimensions: dimensions, factory: metrics))
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Seals anew once, and counts again and again, until the service drains.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var isResealed = false
            while !Task.isCancelled {
                var pause = interval
                do {
                    if !isResealed {
                        try await reseal()
                        isResealed = true
                    }
                    try await count()
                } catch {
                    guard !Task.isCancelled else { return }
                    pause = retryInterval
                    logger.warning("secrets cannot be sealed anew yet", metadata: ["error": "\(error)"])
                }
                do {
                    try await clock.sleep(for: pause)
                } catch {
                    return
                }
            }
        }
    }

    /// Seals anew whatever is sealed with another key than the first.
    ///
    /// - Returns: What it has come to, over all columns.
    /// - Throws: `PostgresError`; what is committed until then stays.
    @discardableResult
    package func reseal() async throws -> Outcome {
        var total = Outcome()
        for column in columns {
            var last: SealedColumn.Row?
            var outcome = Outcome()
            repeat {
                last = try await reseal(column, after: last, &outcome)
            } while last != nil
            if outcome != Outcome() {
                logger.notice(
                    "secrets were sealed anew",
                    metadata: [
                        "kind": "\(column.kind.rawValue)", "key": "\(ring.activeKeyID)",
                        "resealed": "\(outcome.resealed)", "unopened": "\(outcome.unopened)",
                    ]
                )
            }
            total.resealed += outcome.resealed
            total.unopened += outcome.unopened
        }
        return total
    }

    /// Seals one batch anew, in a transaction of its own; nil after the last one.
    private func reseal(
        _ column: SealedColumn,
        after row: SealedColumn.Row?,
        _ outcome: inout Outcome
    ) async throws -> SealedColumn.Row? {
        let head = SealedSecret.head(keyID: ring.activeKeyID)
        let (last, resealed, unopened) = try await database.withTransaction { transaction in
            let rows = try await transaction.execute(column.next(besides: head, after: row, limit: Self.batch))
                .map { try column.row($0) }
            let replacements = rows.compactMap { replacement(for: $0) }
            guard !replacements.isEmpty else {
                return (rows.last, 0, rows.count)
            }
            let changed = try await transaction.execute(column.replacing(replacements)).affectedRows
            return (rows.last, Int(changed), rows.count - replacements.count)
        }
        outcome.resealed += resealed
        outcome.unopened += unopened
        return last
    }

    /// What is to stand in a row; nil where it does not open, which is said aloud.
    private func replacement(for row: SealedColumn.Row) -> SealedColumn.Replacement? {
        do throws(SecretsError) {
            let sealed = try ring.reseal(SealedSecret(bytes: row.sealed), for: row.context)
            return SealedColumn.Replacement(row: row, sealed: sealed.bytes)
        } catch {
            logger.error(
                "a secret cannot be opened, and is left as it is",
                metadata: [
                    "kind": "\(row.context.kind.rawValue)", "tenant": "\(row.context.tenant)",
                    "name": "\(row.context.name)", "error": "\(error)",
                ]
            )
            return nil
        }
    }

    /// Records how many secrets are sealed with other keys than the first.
    private func count() async throws {
        let head = SealedSecret.head(keyID: ring.activeKeyID)
        var counts: [SecretContext.Kind: Int] = [:]
        for column in columns {
            let rows = try await database.execute(column.remaining(besides: head))
            counts[column.kind, default: 0] += try rows.first?.decode(0, as: Int.self) ?? 0
        }
        for (kind, count) in counts {
            gauges[kind]?.record(count)
        }
    }
}
