import Testing

@testable import PostgreSQL

@Suite struct PipelineStateMachineTests {
    typealias Machine = PipelineStateMachine

    private func flying(
        _ steps: [Machine.Step],
        _ commitPoint: Machine.CommitPoint = .whenFlushed,
        framing: Machine.Framing = .pipeline
    ) -> Machine {
        var machine = Machine()
        #expect(machine.enqueued(1) == .send(1))
        machine.sent(steps, framing: framing, commitPoint: commitPoint)
        return machine
    }

    @Test func answersAreKeptByStatement() {
        var machine = flying([.control, .prepare(0), .statement(0), .statement(1), .commit], .whenSent)
        #expect(machine.received(.success) == .wait)
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.success) == .markPrepared(statement: 0))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.success) == .keep(statement: 0))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.success) == .keep(statement: 1))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.success) == .checkCommit)
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.sync) == .finish(1, failed: false))
        #expect(!machine.isFlying)
    }

    @Test func theFirstErrorCountsAndTheRestIsSkipped() {
        var machine = flying([.statement(0), .statement(1), .statement(2)])
        #expect(machine.received(.success) == .keep(statement: 0))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.failure(endsSession: false)) == .fail(statement: 1))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.aborted) == .wait)
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.sync) == .finish(1, failed: true))
    }

    @Test func anErrorAtTheSyncPointBelongsToNoStatement() {
        var machine = flying([.statement(0)])
        #expect(machine.received(.success) == .keep(statement: 0))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.failure(endsSession: false)) == .fail(statement: nil))
        #expect(machine.received(.endOfCommand) == .wait)
        #expect(machine.received(.sync) == .finish(1, failed: true))
    }

    @Test func operationsGoOneAtATime() {
        var machine = flying([.statement(0)])
        #expect(machine.enqueued(2) == .wait)
        #expect(machine.nextToSend() == nil)
        _ = machine.received(.success)
        _ = machine.received(.endOfCommand)
        #expect(machine.received(.sync) == .finish(1, failed: false))
        #expect(machine.nextToSend() == 2)
        #expect(machine.nextToSend() == nil)
    }

    @Test func nothingIsSentWhileACancelRequestIsUnderWay() {
        var machine = flying([.statement(0)])
        #expect(machine.enqueued(2) == .wait)
        #expect(machine.cancelRequested(1) == .cancelOnServer)
        #expect(machine.cancelRequested(1) == .ignore)
        _ = machine.received(.failure(endsSession: false))
        _ = machine.received(.endOfCommand)
        #expect(machine.received(.sync) == .finish(1, failed: true))
        #expect(machine.nextToSend() == nil)
        #expect(machine.enqueued(3) == .wait)
        machine.cancelFinished()
        #expect(machine.nextToSend() == 2)
    }

    @Test func whatWasNotSentIsTakenOut() {
        var machine = flying([.statement(0)])
        #expect(machine.enqueued(2) == .wait)
        #expect(machine.cancelRequested(2) == .removed)
        #expect(machine.cancelRequested(2) == .ignore)
        #expect(machine.connectionLost().waiting.isEmpty)
    }

    @Test func aLostConnectionIsInDoubtOnlyOnceItCouldCommit() {
        func verdict(_ point: Machine.CommitPoint, flushed: Bool, _ replies: [Machine.Reply] = []) -> Machine.Verdict {
            var machine = flying([.statement(0), .commit], point)
            if flushed { machine.flushed() }
            for reply in replies { _ = machine.received(reply) }
            return machine.connectionLost().verdict
        }
        #expect(verdict(.never, flushed: true) == .notCommitted)
        #expect(verdict(.whenFlushed, flushed: false) == .notCommitted)
        #expect(verdict(.whenFlushed, flushed: true) == .unknown)
        #expect(verdict(.whenSent, flushed: false) == .unknown)
        let refused: [Machine.Reply] = [.failure(endsSession: false)]
        let ended: [Machine.Reply] = [.failure(endsSession: true)]
        for point in [Machine.CommitPoint.never, .whenFlushed, .whenSent] {
            #expect(verdict(point, flushed: true, refused) == .failed)
            // A session that ends while a statement runs takes the transaction with it.
            #expect(verdict(point, flushed: true, ended) == .failed)
        }
        #expect(verdict(.whenSent, flushed: true, [.success, .endOfCommand] + ended) == .unknown)
        #expect(verdict(.whenSent, flushed: true, [.success, .endOfCommand] + refused) == .failed)
        #expect(
            verdict(.whenFlushed, flushed: true, [.success, .endOfCommand, .success, .endOfCommand] + ended) == .unknown
        )
    }

    @Test func scriptsEndWithTheirLastAnswer() {
        var machine = flying([], .whenSent, framing: .script)
        #expect(machine.received(.success) == .wait)
        #expect(machine.received(.success) == .wait)
        #expect(machine.received(.failure(endsSession: false)) == .fail(statement: nil))
        #expect(machine.received(.endOfCommand) == .finish(1, failed: true))
    }

    /// Every sequence of answers up to a length, against a machine that expects two steps: none traps, an operation
    /// ends once, and what ends it is either a sync point, a disconnect or the loss of the connection.
    @Test func everySequenceOfAnswersEndsAnOperationOnce() {
        let replies: [Machine.Reply] = [
            .success, .failure(endsSession: false), .failure(endsSession: true), .aborted, .endOfCommand, .sync,
            .unsupported,
        ]
        func explore(_ machine: Machine, _ depth: Int, _ finished: Int) {
            var lost = machine
            #expect((lost.connectionLost().current == nil) == (finished == 1))
            guard depth > 0 else { return }
            for reply in replies {
                var next = machine
                switch next.received(reply) {
                case .finish(let id, _):
                    #expect(id == 1 && finished == 0)
                    explore(next, depth - 1, finished + 1)
                case .disconnect:
                    continue
                case .wait, .keep, .markPrepared, .checkCommit, .fail:
                    explore(next, depth - 1, finished)
                }
            }
        }
        for framing in [Machine.Framing.pipeline, .script] {
            explore(flying([.prepare(0), .statement(0)], framing: framing), 6, 0)
        }
    }

    @Test(arguments: [UInt64.random(in: 1...UInt64.max), 1, 2, 3])
    func randomEventsResolveEveryOperationOnce(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<200 {
            var machine = Machine()
            var open: Set<UInt64> = []
            var resolved: [UInt64: Int] = [:]
            var nextID: UInt64 = 0
            func resolve(_ id: UInt64) {
                resolved[id, default: 0] += 1
                #expect(open.remove(id) != nil, "seed \(seed)")
            }
            func launch(_ id: UInt64?) {
                guard id != nil else { return }
                machine.sent([.statement(0)], framing: .pipeline, commitPoint: .whenFlushed)
            }
            for _ in 0..<60 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0...2:
                    nextID += 1
                    open.insert(nextID)
                    if case .send(let id) = machine.enqueued(nextID) { launch(id) }
                case 3:
                    guard let id = open.randomElement(using: &random) else { continue }
                    if machine.cancelRequested(id) == .removed { resolve(id) }
                case 4:
                    machine.cancelFinished()
                    launch(machine.nextToSend())
                default:
                    let replies: [Machine.Reply] = [.success, .endOfCommand, .sync, .failure(endsSession: false)]
                    // Answers that fit nothing end a connection; here they are left out.
                    var probe = machine
                    guard let reply = replies.randomElement(using: &random), probe.received(reply) != .disconnect else {
                        continue
                    }
                    if case .finish(let id, _) = machine.received(reply) {
                        resolve(id)
                        launch(machine.nextToSend())
                    }
                }
            }
            let remains = machine.connectionLost()
            for id in remains.waiting { resolve(id) }
            if let current = remains.current { resolve(current) }
            #expect(open.isEmpty, "seed \(seed)")
            #expect(resolved.values.allSatisfy { $0 == 1 }, "seed \(seed)")
            #expect(machine.enqueued(nextID + 1) == .refuse)
        }
    }
}

/// A small generator whose seed can be printed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
