import FaultInjection
import FoundationEssentials
import Logging
import PostgreSQL
import Synchronization

/// One serial writer: its transactions are numbered without a gap.
///
/// Whoever holds the lane (`LanePool`) runs one transaction at a time, so the state needs no more than a mutex.
final class Lane: Sendable {
    private struct State {
        var machine = LaneStateMachine()
        var relays: [Destination: LaneRelay] = [:]
    }

    let name: String
    private let context: LaneContext
    private let state = Mutex(State())
    private let registry: RelayRegistry

    /// - Parameters:
    ///   - name: The lane's own part of its producer's name.
    ///   - context: What the lanes of the process have in common.
    ///   - registry: Runs the relays of the lane while it is open.
    init(name: String, context: LaneContext, registry: RelayRegistry) {
        self.name = name
        self.context = context
        self.registry = registry
    }

    /// The open lane's epoch, if there is one.
    var epoch: Int64? { state.withLock { $0.machine.epoch } }

    /// The last numbers known to be committed.
    var numbers: LaneNumbers { state.withLock { $0.machine.numbers } }

    var producer: String { "\(context.service)/\(context.replica)/\(name)" }

    /// Whether there is a transaction whose outcome is not known.
    var isUnsettled: Bool { state.withLock { $0.machine.phase == .unsettled } }

    /// Settles a transaction of unknown outcome, and sends what it holds where it has taken place.
    func settleNow(deadline: ContinuousClock.Instant) async throws {
        guard isUnsettled, case .settle(let position) = state.withLock({ $0.machine.transactionWanted() }) else {
            return
        }
        if try await settle(position, deadline: deadline) == .committed {
            relaySettled()
        }
    }

    /// Runs a transaction.
    ///
    /// - Parameters:
    ///   - deadline: When to give up.
    ///   - closing: Whether the lane is closed for good by this transaction.
    ///   - body: Does the work; what it throws rolls the transaction back.
    /// - Returns: What the body returns, once it is committed.
    /// - Throws: `LaneError`, `PostgresError`, or what the body throws.
    func transaction<R: Sendable>(
        deadline: ContinuousClock.Instant,
        closing: Bool = false,
        _ body: (LaneTransaction) async throws -> R
    ) async throws -> R {
        let position = try await begin(deadline: deadline)
        var pending: (numbers: LaneNumbers, messages: [OutboxMessage], result: R)?
        do {
            try await context.database.withTransaction(deadline: deadline) { database in
                let transaction = LaneTransaction(
                    database: database,
                    schema: context.schema,
                    epoch: position.epoch,
                    producer: producer
                )
                let result = try await body(transaction)
                var packer = OutboxPacker(
                    numbers: position.numbers,
                    service: context.schema,
                    producer: producer,
                    epoch: position.epoch
                )
                transaction.pack(into: &packer)
                pending = (packer.numbers, packer.messages, result)
                _ = try await database.commit(
                    lastStatements(of: transaction, position: position, packer: packer, closing: closing)
                )
            }
        } catch {
            try await failed(error, position: position, pending: pending?.numbers, deadline: deadline)
            // Only a commit whose outcome was lost and found comes here.
        }
        guard let pending else {
            throw LaneError(code: .foreignRow, message: "the transaction ended without a result")
        }
        committed(pending.numbers, pending.messages)
        return pending.result
    }

    private func lastStatements(
        of transaction: LaneTransaction,
        position: LaneStateMachine.Position,
        packer: OutboxPacker,
        closing: Bool
    ) -> [PostgresStatement] {
        var statements = transaction.lastStatements
        if !packer.messages.isEmpty {
            statements.append(context.repository.insertion(of: packer.messages, epoch: position.epoch))
        }
        statements.append(
            context.repository.advance(position, to: packer.numbers, confirmed: confirmedNumbers())
        )
        if closing {
            statements.append(context.repository.closing(epoch: position.epoch))
        }
        return statements
    }

    private func confirmedNumbers() -> LaneNumbers {
        let relays = state.withLock { $0.relays }
        var numbers = LaneNumbers.zero
        for (destination, relay) in relays {
            numbers[destination] = relay.confirmed
        }
        return numbers
    }

    private func begin(deadline: ContinuousClock.Instant) async throws -> LaneStateMachine.Position {
        while true {
            switch state.withLock({ $0.machine.transactionWanted() }) {
            case .begin(let position):
                return position
            case .open:
                try await open(deadline: deadline)
            case .settle(let position):
                if try await settle(position, deadline: deadline) == .committed {
                    relaySettled()
                }
            }
        }
    }

    /// An earlier transaction turned out to be committed, and its messages are no longer at hand.
    private func relaySettled() {
        let (numbers, relays) = state.withLock { ($0.machine.numbers, $0.relays) }
        for (destination, relay) in relays {
            relay.committed(through: numbers[destination])
        }
    }

    private func open(deadline: ContinuousClock.Instant) async throws {
        let epoch = try await context.repository.open(
            producer: producer,
            keeper: context.instance,
            deadline: deadline
        )
        let relays = Destination.allCases.map { destination in
            LaneRelay(
                context: context,
                epoch: epoch,
                producer: producer,
                destination: destination,
                onConfirmed: { [registry] in registry.wakeVerifier(of: destination) }
            )
        }
        state.withLock { state in
            state.machine.opened(epoch: epoch)
            state.relays = Dictionary(uniqueKeysWithValues: relays.map { ($0.destination, $0) })
        }
        registry.add(relays)
    }

    private func committed(_ numbers: LaneNumbers, _ messages: [OutboxMessage]) {
        CrashPoints.reached(.afterCommitBeforePublish)
        let relays = state.withLock { $0.relays }
        for (destination, relay) in relays {
            let own = messages.filter { $0.destination == destination }
            if !own.isEmpty {
                relay.committed(own)
            }
        }
        state.withLock { state in
            // A settled transaction is known to the machine already.
            if case .writing = state.machine.phase {
                state.machine.committed(numbers)
            }
        }
    }

    /// Returns only where the transaction turns out to have been committed after all.
    private func failed(
        _ error: any Error,
        position: LaneStateMachine.Position,
        pending: LaneNumbers?,
        deadline: ContinuousClock.Instant
    ) async throws {
        let failure = error as? PostgresError
        guard failure?.code == .commitOutcomeUnknown, let pending else {
            if failure?.sqlState == GuardState.laneFencedOff {
                state.withLock { $0.machine.fencedOff() }
                // Whoever has closed the lane sends what it holds.
                registry.remove { $0.epoch == position.epoch && !$0.isTakenOver }
                throw LaneError(code: .fencedOff, message: "another process has closed lane \(position.epoch)")
            }
            state.withLock { $0.machine.rolledBack() }
            throw error
        }
        state.withLock { $0.machine.outcomeLost(pending: pending) }
        let settlement: LaneStateMachine.Settlement
        do {
            settlement = try await settle(position, deadline: deadline)
        } catch {
            throw PostgresError(.commitOutcomeUnknown, "the commit could not be settled in time", cause: error)
        }
        switch settlement {
        case .committed:
            return
        case .rolledBack:
            throw PostgresError(.connectionLost, "the connection was lost, and the transaction was rolled back")
        case .foreign:
            throw LaneError(code: .foreignRow, message: "lane \(position.epoch) is not as this process has left it")
        }
    }

    /// Settles a transaction of unknown outcome, again and again until the deadline.
    private func settle(
        _ position: LaneStateMachine.Position,
        deadline: ContinuousClock.Instant
    ) async throws -> LaneStateMachine.Settlement {
        while true {
            do {
                let row = try await context.repository.settle(position, deadline: deadline)
                return state.withLock { $0.machine.settled(commits: row.commits, isClosed: row.isClosed) }
            } catch  where ContinuousClock.now < deadline && !Task.isCancelled {
                context.logger.warning(
                    "a commit of unknown outcome cannot be settled yet",
                    metadata: ["error": "\(error)", "epoch": "\(position.epoch)"]
                )
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
