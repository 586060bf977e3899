import FoundationEssentials
import Testing

@testable import Messaging

@Suite("State of a lane")
struct LaneStateMachineTests {
    private let first = LaneStateMachine.Position(epoch: 7, commits: 0, numbers: .zero)
    private let numbers = LaneNumbers(signals: 3, commands: 0, audit: 1)

    private func writing() -> LaneStateMachine {
        var machine = LaneStateMachine()
        machine.opened(epoch: 7)
        _ = machine.transactionWanted()
        return machine
    }

    private func unsettled() -> LaneStateMachine {
        var machine = writing()
        machine.outcomeLost(pending: numbers)
        return machine
    }

    @Test("a lane is opened before its first transaction")
    func open() {
        var machine = LaneStateMachine()
        #expect(machine.transactionWanted() == .open)
        machine.opened(epoch: 7)
        #expect(machine.transactionWanted() == .begin(first))
    }

    @Test("numbers move on with a commit and stay with a rollback")
    func numbering() {
        var machine = writing()
        machine.committed(numbers)
        #expect(machine.transactionWanted() == .begin(.init(epoch: 7, commits: 1, numbers: numbers)))
        machine.rolledBack()
        #expect(machine.transactionWanted() == .begin(.init(epoch: 7, commits: 1, numbers: numbers)))
    }

    @Test("a lost outcome is settled before anything else")
    func settles() {
        var machine = unsettled()
        #expect(machine.transactionWanted() == .settle(first))
        #expect(machine.transactionWanted() == .settle(first))
    }

    @Test("the row says that the lost transaction was committed")
    func settledCommitted() {
        var machine = unsettled()
        #expect(machine.settled(commits: 1, isClosed: false) == .committed)
        #expect(machine.transactionWanted() == .begin(.init(epoch: 7, commits: 1, numbers: numbers)))
    }

    @Test("settling has fenced the lost transaction, however often it was repeated")
    func settledRolledBack() {
        var machine = unsettled()
        #expect(machine.settled(commits: 2, isClosed: false) == .rolledBack)
        #expect(machine.transactionWanted() == .begin(.init(epoch: 7, commits: 2, numbers: .zero)))
    }

    @Test("another process has closed the lane", arguments: [(Int64(0), false), (Int64(1), true)])
    func settledClosed(commits: Int64, isCommitted: Bool) {
        var machine = unsettled()
        #expect(machine.settled(commits: commits, isClosed: true) == (isCommitted ? .committed : .rolledBack))
        #expect(machine.transactionWanted() == .open)
    }

    @Test("a row that nobody here has written ends the lane")
    func settledForeign() {
        var machine = unsettled()
        #expect(machine.settled(commits: 9, isClosed: false) == .foreign)
        #expect(machine.transactionWanted() == .open)
    }

    @Test("a fenced lane is opened anew")
    func fenced() {
        var machine = writing()
        machine.fencedOff()
        #expect(machine.transactionWanted() == .open)
    }
}

@Suite("Queue of a relay")
struct RelayQueueTests {
    private func message(_ first: Int64, _ last: Int64, bytes: Int = 10) -> OutboxMessage {
        OutboxMessage(
            id: .init(),
            destination: .audit,
            firstSeq: first,
            lastSeq: last,
            tenant: "acme",
            routingKey: "acme.engine",
            type: "batuta.audit.entries",
            schemaVersion: 1,
            traceparent: nil,
            items: [],
            body: [UInt8](repeating: 1, count: bytes)
        )
    }

    @Test("messages come out in order, from memory")
    func memory() {
        var queue = RelayQueue(taken: 0, committed: 0)
        queue.committed(message(1, 2))
        queue.committed(message(3, 3))
        guard case .messages(let taken) = queue.next(maximum: 10) else {
            Issue.record("memory holds the messages")
            return
        }
        #expect(taken.map(\.firstSeq) == [1, 3])
        guard case .nothing = queue.next(maximum: 10) else {
            Issue.record("everything is taken")
            return
        }
    }

    @Test("what does not fit into memory is read from the outbox, and nothing is skipped")
    func overflow() {
        var queue = RelayQueue(taken: 0, committed: 0)
        let half = RelayQueue.maximumBytes / 2 + 1
        queue.committed(message(1, 1, bytes: half))
        queue.committed(message(2, 2, bytes: half))
        queue.committed(message(3, 3))
        guard case .messages(let taken) = queue.next(maximum: 10) else {
            Issue.record("memory holds the first message")
            return
        }
        #expect(taken.map(\.firstSeq) == [1])
        guard case .read(after: 1, _, _) = queue.next(maximum: 10) else {
            Issue.record("the second message is in the outbox only")
            return
        }
        queue.read([message(2, 2), message(3, 3)])
        queue.committed(message(4, 4))
        guard case .messages(let rest) = queue.next(maximum: 10) else {
            Issue.record("memory is used again")
            return
        }
        #expect(rest.map(\.firstSeq) == [4])
    }

    @Test("a lane taken over is read from its watermark on")
    func takenOver() {
        var queue = RelayQueue(taken: 5, committed: 9)
        guard case .read(after: 5, _, _) = queue.next(maximum: 10) else {
            Issue.record("nothing is in memory yet")
            return
        }
    }
}
