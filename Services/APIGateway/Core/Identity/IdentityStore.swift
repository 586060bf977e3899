package import Logging
import ServiceLifecycle
import Synchronization

/// Holds the live tokens in memory, and knows whether what it holds is still true.
///
/// Concurrent checks share one query: a check joins only a query that begins after it, so a revocation that was answered
/// before the check is always seen.
package final class IdentityStore: Service {
    private struct State {
        var snapshot: IdentitySnapshot?
        var waiting: [CheckedContinuation<IdentitySnapshot, any Error>] = []
        var isStopped = false
    }

    private let repository: IdentityRepository
    private let logger: Logger
    private let state = Mutex(State())
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation
    private let patience: Duration

    /// - Parameters:
    ///   - repository: Where the tokens are.
    ///   - patience: How long one query may take.
    ///   - logger: Where it logs.
    package init(repository: IdentityRepository, patience: Duration = .seconds(5), logger: Logger) {
        self.repository = repository
        self.patience = patience
        self.logger = logger
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What is held, as old as it may be, for callers that have the generation checked in a transaction of their own.
    package var held: IdentitySnapshot? {
        state.withLock { $0.snapshot }
    }

    /// The live tokens as they stand now.
    ///
    /// - Throws: `PostgresError` where the database does not answer in time, `GatewayProblem` once stopped.
    package func current() async throws -> IdentitySnapshot {
        try await withCheckedThrowingContinuation { continuation in
            let isStopped = state.withLock { state in
                if !state.isStopped {
                    state.waiting.append(continuation)
                }
                return state.isStopped
            }
            if isStopped {
                continuation.resume(throwing: GatewayProblem.draining)
            } else {
                wakeUp.yield()
            }
        }
    }

    /// Answers checks until the process drains; the checks that wait by then are still answered.
    package func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in wakeUps {
                await answer()
            }
            await answer()
        } onGracefulShutdown: {
            self.wakeUp.finish()
        }
        let rest = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in rest {
            continuation.resume(throwing: GatewayProblem.draining)
        }
    }

    private func answer() async {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        guard !waiting.isEmpty else {
            return
        }
        do {
            let snapshot = try await refreshed()
            for continuation in waiting {
                continuation.resume(returning: snapshot)
            }
        } catch {
            logger.warning("tokens cannot be checked", metadata: ["error": "\(error)"])
            for continuation in waiting {
                continuation.resume(throwing: error)
            }
        }
    }

    private func refreshed() async throws -> IdentitySnapshot {
        let deadline = ContinuousClock.now + patience
        if let held, try await repository.generation(deadline: deadline) == held.generation {
            return held
        }
        let snapshot = try await repository.snapshot(deadline: deadline)
        state.withLock { state in
            // Readings follow each other, so this one is the newest, even where a restored database has gone back.
            state.snapshot = snapshot
        }
        return snapshot
    }
}
