import Testing

@testable import PostgreSQL

@Suite struct PoolStateMachineTests {
    typealias Machine = PoolStateMachine
    private let start = ContinuousClock.now

    private func machine(minimum: Int = 0, maximum: Int = 2, waiters: Int = 10) -> Machine {
        Machine(
            limits: Machine.Limits(
                minimum: minimum,
                maximum: maximum,
                maximumWaiters: waiters,
                backoffBase: .milliseconds(100),
                backoffMaximum: .seconds(1),
                idleTimeout: .seconds(60)
            )
        )
    }

    private func request(_ machine: inout Machine, _ waiter: UInt64, limit: Duration = .seconds(5)) -> Machine.Effects {
        machine.leaseRequested(by: waiter, waitLimit: start.advanced(by: limit), deadline: nil, at: start)
    }

    @Test func theMinimumIsOpenedAtTheStart() {
        var machine = machine(minimum: 2, maximum: 4)
        #expect(machine.started(at: start).opens == [1, 2])
        #expect(machine.started(at: start) == Machine.Effects())
    }

    @Test func requestsBeforeTheStartWait() {
        var machine = machine()
        #expect(request(&machine, 1) == Machine.Effects())
        #expect(machine.nextDeadline == start.advanced(by: .seconds(5)))
        #expect(machine.started(at: start).opens == [1])
        #expect(machine.connected(1, at: start).grants == [.init(waiter: 1, connection: 1)])
    }

    @Test func connectionsAreBoundedAndServedInOrder() {
        var machine = machine(maximum: 1)
        _ = machine.started(at: start)
        #expect(request(&machine, 1).opens == [1])
        #expect(request(&machine, 2).opens.isEmpty)
        #expect(request(&machine, 3).opens.isEmpty)
        #expect(machine.connected(1, at: start).grants == [.init(waiter: 1, connection: 1)])
        #expect(machine.released(1, isReusable: true, at: start).grants == [.init(waiter: 2, connection: 1)])
        #expect(machine.released(1, isReusable: true, at: start).grants == [.init(waiter: 3, connection: 1)])
        #expect(machine.released(1, isReusable: true, at: start) == Machine.Effects())
        #expect(request(&machine, 4).grants == [.init(waiter: 4, connection: 1)])
    }

    @Test func waitersAreBoundedInNumberAndTime() {
        var machine = machine(maximum: 1, waiters: 2)
        _ = machine.started(at: start)
        _ = request(&machine, 1, limit: .seconds(1))
        _ = machine.leaseRequested(
            by: 2,
            waitLimit: start.advanced(by: .seconds(5)),
            deadline: start.advanced(by: .seconds(2)),
            at: start
        )
        #expect(request(&machine, 3).refusals == [.init(waiter: 3, reason: .tooManyWaiters)])
        #expect(machine.ticked(at: start.advanced(by: .milliseconds(999))).refusals.isEmpty)
        #expect(machine.ticked(at: start.advanced(by: .seconds(1))).refusals == [.init(waiter: 1, reason: .waitLimit)])
        #expect(machine.ticked(at: start.advanced(by: .seconds(2))).refusals == [.init(waiter: 2, reason: .deadline)])
        #expect(machine.waiterCancelled(2) == Machine.Effects())
    }

    @Test func aSessionThatIsNotCleanIsReplaced() {
        var machine = machine(minimum: 1)
        _ = machine.started(at: start)
        _ = request(&machine, 1)
        _ = machine.connected(1, at: start)
        let effects = machine.released(1, isReusable: false, at: start)
        #expect(effects.closes == [1])
        #expect(effects.opens == [2])
    }

    @Test func aBrokenConnectionIsReplacedWhenItComesBack() {
        var machine = machine(minimum: 1)
        _ = machine.started(at: start)
        _ = request(&machine, 1)
        _ = machine.connected(1, at: start)
        #expect(machine.connectionLost(1, at: start) == Machine.Effects())
        let effects = machine.released(1, isReusable: true, at: start)
        #expect(effects.opens == [2])
        #expect(effects.closes.isEmpty)
    }

    @Test func failuresBackOffWithJitterAndOneProbe() {
        var machine = machine(minimum: 2)
        #expect(machine.started(at: start).opens == [1, 2])
        _ = machine.connectFailed(1, at: start, jitter: 0)
        _ = machine.connectFailed(2, at: start, jitter: 1)
        let retry = start.advanced(by: .milliseconds(200))
        #expect(machine.nextDeadline == retry)
        #expect(machine.ticked(at: retry.advanced(by: .milliseconds(-1))).opens.isEmpty)
        #expect(machine.ticked(at: retry).opens == [3])
        #expect(machine.ticked(at: retry).opens.isEmpty)
        #expect(machine.connected(3, at: retry).opens == [4])
    }

    @Test func idleConnectionsAboveTheMinimumAreClosed() {
        var machine = machine(minimum: 1)
        _ = machine.started(at: start)
        _ = machine.connected(1, at: start)
        _ = request(&machine, 1)
        #expect(request(&machine, 2).opens == [2])
        _ = machine.connected(2, at: start)
        _ = machine.released(1, isReusable: true, at: start)
        _ = machine.released(2, isReusable: true, at: start)
        #expect(machine.nextDeadline == start.advanced(by: .seconds(60)))
        #expect(machine.ticked(at: start.advanced(by: .seconds(60))).closes == [1])
        #expect(machine.nextDeadline == nil)
    }

    @Test func shutdownServesThoseWhoWaitAndEndsOnce() {
        var machine = machine(maximum: 1)
        _ = machine.started(at: start)
        _ = request(&machine, 1)
        _ = machine.connected(1, at: start)
        _ = request(&machine, 2)
        #expect(!machine.shutdownBegan(until: start.advanced(by: .seconds(9))).isDrained)
        #expect(request(&machine, 3).refusals == [.init(waiter: 3, reason: .shutdown)])
        #expect(machine.released(1, isReusable: true, at: start).grants == [.init(waiter: 2, connection: 1)])
        let effects = machine.released(1, isReusable: true, at: start)
        #expect(effects.isDrained)
        #expect(effects.closes == [1])
        #expect(!machine.ticked(at: start.advanced(by: .seconds(10))).isDrained)
    }

    @Test func shutdownIsBounded() {
        var machine = machine(maximum: 1)
        _ = machine.started(at: start)
        _ = request(&machine, 1)
        _ = machine.connected(1, at: start)
        _ = request(&machine, 2, limit: .seconds(60))
        let limit = start.advanced(by: .seconds(9))
        _ = machine.shutdownBegan(until: limit)
        #expect(machine.nextDeadline == limit)
        let effects = machine.ticked(at: limit)
        #expect(effects.isDrained)
        #expect(effects.closes == [1])
        #expect(effects.refusals == [.init(waiter: 2, reason: .shutdown)])
    }

    @Test(arguments: [UInt64.random(in: 1...UInt64.max), 1, 2, 3])
    func randomEventsAnswerEveryWaiterOnce(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<100 {
            var model = PoolModel(machine: machine(minimum: 1, maximum: 3, waiters: 5), now: start, seed: seed)
            for _ in 0..<200 { model.step(using: &random) }
            model.finish()
        }
    }
}

/// What the shell would see, checked after each event.
private struct PoolModel {
    var machine: PoolStateMachine
    var now: ContinuousClock.Instant
    let seed: UInt64
    var waiting: Set<UInt64> = []
    var connecting: Set<UInt64> = []
    var leased: Set<UInt64> = []
    var idle: Set<UInt64> = []
    var lastWaiter: UInt64 = 0
    var isDrained = false

    mutating func step(using random: inout SplitMix) {
        now = now.advanced(by: .milliseconds(Int.random(in: 0...400, using: &random)))
        switch Int.random(in: 0..<100, using: &random) {
        case 0: apply(machine.started(at: now))
        case 1..<40:
            lastWaiter += 1
            waiting.insert(lastWaiter)
            apply(
                machine.leaseRequested(
                    by: lastWaiter,
                    waitLimit: now.advanced(by: .seconds(1)),
                    deadline: nil,
                    at: now
                )
            )
        case 40..<45:
            if let waiter = waiting.randomElement(using: &random) { apply(machine.waiterCancelled(waiter)) }
        case 45..<60:
            guard let id = connecting.randomElement(using: &random) else { return }
            connecting.remove(id)
            idle.insert(id)
            apply(machine.connected(id, at: now))
        case 60..<65:
            guard let id = connecting.randomElement(using: &random) else { return }
            connecting.remove(id)
            apply(machine.connectFailed(id, at: now, jitter: Double.random(in: 0...1, using: &random)))
        case 65..<85:
            guard let id = leased.randomElement(using: &random) else { return }
            leased.remove(id)
            idle.insert(id)
            apply(machine.released(id, isReusable: Bool.random(using: &random), at: now))
            if machine.idleCount < idle.count { idle.remove(id) }
        case 85..<90:
            guard let id = idle.randomElement(using: &random) else { return }
            idle.remove(id)
            apply(machine.connectionLost(id, at: now))
        case 90..<92:
            if let id = leased.randomElement(using: &random) { apply(machine.connectionLost(id, at: now)) }
        default:
            apply(machine.ticked(at: now))
        }
    }

    mutating func apply(_ effects: PoolStateMachine.Effects) {
        for grant in effects.grants {
            #expect(waiting.remove(grant.waiter) != nil, "seed \(seed)")
            #expect(leased.insert(grant.connection).inserted, "seed \(seed)")
            #expect(idle.remove(grant.connection) != nil, "seed \(seed)")
        }
        for refused in effects.refusals { #expect(waiting.remove(refused.waiter) != nil, "seed \(seed)") }
        for id in effects.closes {
            idle.remove(id)
            leased.remove(id)
        }
        for id in effects.opens { #expect(connecting.insert(id).inserted, "seed \(seed)") }
        #expect(machine.connectionCount <= 3, "seed \(seed)")
        #expect(machine.waiterCount == waiting.count, "seed \(seed)")
        if effects.isDrained {
            #expect(!isDrained, "seed \(seed)")
            isDrained = true
        }
    }

    mutating func finish() {
        apply(machine.shutdownBegan(until: now.advanced(by: .seconds(1))))
        apply(machine.ticked(at: now.advanced(by: .seconds(1))))
        #expect(isDrained && waiting.isEmpty, "seed \(seed)")
    }
}
