import FaultInjection
package import Logging
import Metrics
package import RabbitMQ
import ServiceLifecycle

/// Takes whatever deliveries have arrived, processes them in one go, and acknowledges what is committed.
///
/// What a batch costs is nearly the same for one delivery and for fifty. So one worker takes whatever is there, and what
/// arrives meanwhile becomes its next batch; the others help only when much waits, or when it has waited long.
///
/// When the infrastructure fails, consuming pauses and the same deliveries are processed again; when the data fail, the
/// batch is halved down to the culprit, which is buried and acknowledged (`BatchPlan`).
package struct BatchConsumer: Service {
    /// Whether a failure passes by itself.
    package enum FailureKind: Sendable, Equatable {
        /// The infrastructure failed: the same work may succeed later.
        case retry
        /// The data are at fault: the same work fails again.
        case data
    }

    /// Commits the work of deliveries, all of it or none.
    package typealias Process = @Sendable ([Delivery]) async throws -> Void
    /// Says what kind of failure an error is.
    package typealias Classify = @Sendable (any Error) -> FailureKind
    /// Commits a delivery to the dead letters, with the reason; doing it twice does no harm.
    package typealias Bury = @Sendable (Delivery, String) async throws -> Void

    /// How the loops work.
    package struct Settings: Sendable {
        /// The most deliveries of one batch.
        package var maximum: Int
        /// How many batches may be under way at once.
        package var workers: Int
        /// As many waiting deliveries begin another batch beside those under way.
        package var pressure: Int
        /// The first wait for the infrastructure; it doubles up to the longest, with jitter.
        package var firstPause: Duration
        package var longestPause: Duration

        package init(
            maximum: Int = 500,
            workers: Int = 1,
            pressure: Int = 16,
            firstPause: Duration = .milliseconds(100),
            longestPause: Duration = .seconds(5)
        ) {
            self.maximum = maximum
            self.workers = workers
            self.pressure = pressure
            self.firstPause = firstPause
            self.longestPause = longestPause
        }
    }

    private let label: String
    private let source: any BatchSource
    private let settings: Settings
    private let process: Process
    private let classify: Classify
    private let bury: Bury
    private let logger: Logger

    /// Makes a consumer; the source is run by somebody else.
    ///
    /// - Parameters:
    ///   - label: What the metrics call it: the queue's name.
    ///   - source: Usually a `RabbitMQConsumer`, whose prefetch should be at least `maximum` times `workers`.
    ///   - settings: How the loops work.
    ///   - process: Commits the work of deliveries.
    ///   - classify: Tells failures apart.
    ///   - bury: Writes a dead letter.
    ///   - logger: Told of every failure.
    package init(
        label: String,
        source: any BatchSource,
        settings: Settings = Settings(),
        process: @escaping Process,
        classify: @escaping Classify,
        bury: @escaping Bury,
        logger: Logger
    ) {
        self.label = label
        self.source = source
        self.settings = settings
        self.process = process
        self.classify = classify
        self.bury = bury
        self.logger = logger
    }

    /// Works until the source has ended, which a graceful shutdown makes it do, or the task is cancelled.
    ///
    /// - Throws: What ended the source.
    package func run() async throws {
        let gate = PauseGate(source: source)
        try await withThrowingTaskGroup(of: Void.self) { workers in
            for worker in 0..<max(1, settings.workers) {
                workers.addTask { try await work(minimum: worker == 0 ? 1 : settings.pressure, gate: gate) }
            }
            try await workers.waitForAll()
        }
    }

    private func work(minimum: Int, gate: PauseGate) async throws {
        while !Task.isCancelled,
            let deliveries = try await source.nextBatch(maximum: settings.maximum, minimum: minimum)
        {
            await settle(deliveries, gate: gate)
        }
    }

    /// Carries out the plan of one batch; gives up, with the rest unacknowledged, only when the task is cancelled.
    private func settle(_ deliveries: [Delivery], gate: PauseGate) async {
        var plan = BatchPlan(redeliveries: deliveries.map(\.deliveryCount))
        var pause = settings.firstPause
        var isPaused = false
        defer {
            if isPaused { gate.left() }
        }
        while true {
            do {
                guard try await perform(plan.next, of: deliveries) else {
                    return
                }
                CrashPoints.reached(.afterCommitBeforeAck)
                source.acknowledge(plan.succeeded().map { deliveries[$0] })
                if isPaused {
                    isPaused = false
                    gate.left()
                }
                pause = settings.firstPause
            } catch {
                let failure = self.failure(error, of: plan.next)
                guard plan.failed(failure) == .pause else {
                    continue
                }
                if !isPaused {
                    isPaused = true
                    gate.entered()
                }
                guard await wait(pause) else {
                    return
                }
                pause = min(pause * 2, settings.longestPause)
            }
        }
    }

    /// Does one step; false when there is none.
    private func perform(_ step: BatchPlan.Step, of deliveries: [Delivery]) async throws -> Bool {
        switch step {
        case .process(let group):
            CrashPoints.reached(.afterDeliveryBeforeCommit)
            try await process(group.map { deliveries[$0] })
            Counter(label: "batuta_deliveries_processed", dimensions: [("queue", label)]).increment(by: group.count)
            return true
        case .bury(let index, let reason):
            let delivery = deliveries[index]
            try await bury(delivery, reason.description)
            Counter(label: "batuta_dead_letters", dimensions: [("queue", label)]).increment()
            logger.error(
                "a message was put away as a dead letter",
                metadata: [
                    "queue": "\(label)", "message_id": "\(delivery.properties.messageID ?? "none")",
                    "type": "\(delivery.properties.type ?? "none")", "reason": "\(reason)",
                ]
            )
            return true
        case .finished:
            return false
        }
    }

    private func failure(_ error: any Error, of step: BatchPlan.Step) -> BatchPlan.Failure {
        let failure: BatchPlan.Failure =
            switch classify(error) {
            case .retry: .infrastructure
            case .data: .data("\(error)")
            }
        let size =
            switch step {
            case .process(let group): group.count
            case .bury: 1
            case .finished: 0
            }
        let kind = failure == .infrastructure ? "infrastructure" : "data"
        Counter(label: "batuta_batches_failed", dimensions: [("queue", label), ("kind", kind)]).increment()
        logger.warning(
            "a batch of deliveries failed",
            metadata: ["queue": "\(label)", "kind": "\(kind)", "size": "\(size)", "error": "\(error)"]
        )
        return failure
    }

    /// Waits with jitter; false when the task was cancelled.
    private func wait(_ pause: Duration) async -> Bool {
        do {
            try await Task.sleep(for: pause * Double.random(in: 0.5...1))
            return true
        } catch {
            return false
        }
    }
}
