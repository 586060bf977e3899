import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Answers of services on their way to the steps that wait, in a real database.
@Suite("Answers of services", .requiresServers, .timeLimit(.minutes(2)))
struct ActionAnswerIntakeTests {
    private static let done = #"{"status":"succeeded","output":{"level":5}}"#
    private static let step = #"{"name":"level","action_key":"student.level","input":{"id":7}}"#
    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"level":"{{ steps.level.output.level }}"}}"#
    private static let rows = "SELECT concat_ws(' ', attempt, coalesce(outcome, 'open')) FROM engine.step_waits"
    private static let status = "SELECT status FROM engine.automation_runs ORDER BY run_id"
    private static let attempts = """
        SELECT concat_ws(' ', number, coalesce(outcome, 'open'), error::json ->> 'code') FROM engine.step_attempts
        ORDER BY run_id, position, number
        """

    @Test("an answer makes its run due, and the run goes on with it; a second one changes nothing")
    func answered() async throws {
        try await AnswerDesk.with(Self.step, Self.after) { desk in
            var machine = try await desk.begin()
            try await desk.send(&machine)
            #expect(try await desk.engine.texts(Self.rows) == ["1 open"])
            #expect(try await desk.engine.texts(Self.attempts) == ["1 open"])
            #expect(try await desk.isDue() == [false])
            try await desk.answer(machine, Self.done)
            #expect(try await desk.isDue() == [true])
            try await desk.answer(machine, #"{"status":"succeeded","output":{"level":6}}"#)
            try await desk.answer(machine, Self.done, Self.done)
            let ended = try await desk.goOn(machine)
            #expect(ended.status == .succeeded && ended.steps[1].output == Array(#"{"level":5}"#.utf8))
            #expect(try await desk.engine.texts(Self.rows).isEmpty)
            #expect(try await desk.engine.texts(Self.attempts) == ["1 succeeded"])
            try await desk.answer(machine, Self.done)
            #expect(try await desk.engine.texts(Self.rows).isEmpty)
        }
    }

    @Test("an answer counts for the attempt of the tenant's own action that it names, and for nothing else")
    func foreign() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            var machine = try await desk.begin()
            try await desk.send(&machine)
            let run = machine.record.id
            try await desk.answer(machine, Self.done, tenant: "other")
            try await desk.answer(machine, Self.done, action: "student.other")
            for (position, attempt) in [(Int32(0), Int32(2)), (1, 1), (7, 1)] {
                try await desk.answer(AttemptName(run: run, position: position, attempt: attempt), Self.done)
            }
            try await desk.answer(AttemptName(run: UUIDv7.make(), position: 0, attempt: 1), Self.done)
            #expect(try await desk.engine.texts(Self.rows) == ["1 open"])
            #expect(try await desk.isDue() == [false])
            try await desk.answer(machine, Self.done)
            #expect(try await desk.isDue() == [true])
        }
    }

    @Test("an answer that overtakes the storing of its call stays, and one of an attempt before it goes")
    func overtaking() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            var machine = try await desk.begin()
            try await desk.answer(machine, Self.done)
            #expect(try await desk.engine.texts(Self.status) == ["running"])
            try await desk.send(&machine)
            #expect(try await desk.isDue() == [true])
            #expect(try await desk.goOn(machine).status == .succeeded)

            var second = try await desk.begin()
            let busy = #"{"status":"failed","error":{"detail":"busy"},"retryable":true}"#
            try await desk.send(&second)
            try await desk.answer(second, busy)
            #expect(try await desk.goOn(second).status == .waiting)
            try await desk.answer(second, Self.done)
            #expect(try await desk.engine.texts(Self.rows).isEmpty, "the attempt has ended")
            var third = try await desk.machine(second)
            third.elapse(.seconds(60))
            #expect(third.resumed(at: TestEngine.now) == .attempts([0]))
            try await desk.own(second)
            try await desk.store(&third)
            _ = try await desk.engine.database.execute(
                PostgresStatement(
                    """
                    INSERT INTO engine.step_waits (run_id, position, tenant, kind, request, attempt, outcome, opened_at)
                    VALUES ($1, 0, 'acme', 'action', '{}', 1, '{}', now())
                    """,
                    [.uuid(second.record.id)]
                )
            )
            try await desk.send(&third)
            #expect(try await desk.engine.texts(Self.rows) == ["2 open"])
            #expect(try await desk.isDue().last == false)
        }
    }

    @Test("an answer that comes while an attempt is given up counts: nothing of that is stored")
    func lastMoment() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            let begun = try await desk.begin()
            var lost = try await desk.machine(begun)
            #expect(lost.resumed(at: TestEngine.now) == .park)
            var late = try await desk.begin()
            try await desk.send(&late)
            var timedOut = try await desk.machine(late)
            timedOut.elapse(.seconds(3_600))
            #expect(timedOut.resumed(at: TestEngine.now) == .park)
            try await desk.own(late)
            for machine in [begun, late] { try await desk.answer(machine, Self.done) }
            for var machine in [lost, timedOut] { #expect(try await desk.commit(&machine) == false) }
            for machine in [begun, late] { #expect(try await desk.goOn(machine).status == .succeeded) }
        }
    }

    @Test("a late answer decides about a parked attempt, which leaves an entry, and a person's word comes first")
    func parked() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            let begun = try await desk.begin()
            var lost = try await desk.machine(begun)
            #expect(lost.resumed(at: TestEngine.now) == .park)
            #expect(try await desk.commit(&lost) == true)
            #expect(try await desk.engine.texts(Self.attempts) == ["1 unknown attempt_lost"])
            try await desk.answer(begun, Self.done)
            try await desk.answer(begun, Self.done)
            #expect(try await desk.engine.texts(Self.status) == ["queued"])
            #expect(try await desk.entries("run.resolve") == ["automation-engine answered"])
            #expect(try await desk.goOn(begun).status == .succeeded)
            #expect(try await desk.engine.texts(Self.attempts) == ["1 succeeded"])

            let other = try await desk.begin()
            var parked = try await desk.machine(other)
            _ = parked.resumed(at: TestEngine.now)
            _ = try await desk.commit(&parked)
            try await desk.answer(other, Self.done)
            try await desk.resolve(other, "did_not_happen")
            #expect(try await desk.engine.texts(Self.rows).isEmpty)
            var again = try await desk.machine(other)
            #expect(again.resumed(at: TestEngine.now) == .attempts([0]))
            #expect(again.record.steps[0].attempt == 2)
            try await desk.own(other)
            try await desk.store(&again)
            var twice = try await desk.machine(other)
            #expect(twice.resumed(at: TestEngine.now) == .park)
            #expect(try await desk.commit(&twice) == true)
            try await desk.answer(other, Self.done)
            #expect(try await desk.engine.texts(Self.rows).isEmpty, "it is the second attempt that is parked")
        }
    }

    @Test("a run that is about to be parked for a step that has been answered goes on instead")
    func parking() async throws {
        let call =
            #"{"name":"call","action_key":"http.request","needs":[],"input":{"url":"https://x.org"},"retry":{"max_attempts":1}}"#
        try await AnswerDesk.with(Self.step, call) { desk in
            var machine = try await desk.begin()
            let lost = StepError(code: "x", detail: "d")
            #expect(machine.attemptEnded(0, .unknown(lost), at: TestEngine.now, chance: 0) == .attempts([]))
            #expect(try await desk.commit(&machine) == true)
            try await desk.answer(machine, Self.done)
            #expect(try await desk.engine.texts(Self.status) == ["running"])
            let output = AttemptOutcome.succeeded(output: Array("1".utf8))
            #expect(machine.attemptEnded(1, output, at: TestEngine.now, chance: 0) == .park)
            #expect(try await desk.commit(&machine) == true)
            #expect(try await desk.engine.texts(Self.status) == ["queued"])
            #expect(try await desk.entries("run.parked").isEmpty)
            #expect(try await desk.goOn(machine).status == .succeeded)
        }
    }

    @Test("a canceled run ends its attempt as one of unknown outcome, and its late answer is nobody's")
    func canceled() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            var machine = try await desk.begin()
            try await desk.send(&machine)
            try await desk.cancel(machine)
            #expect(try await desk.engine.texts(Self.attempts) == ["1 unknown canceled"])
            #expect(try await desk.engine.texts(Self.rows).isEmpty)
            try await desk.answer(machine, Self.done)
            #expect(try await desk.engine.texts(Self.rows).isEmpty)
            #expect(try await desk.engine.texts(Self.status) == ["canceled"])
        }
    }

    @Test("an answer that cannot be read is put away for the tenant of its routing key, and may then be redriven")
    func unreadable() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            let machine = try await desk.begin()
            let delivery = desk.delivery(desk.name(machine), "nonsense", tenant: "acme", headers: ["x-tenant": "other"])
            await #expect(throws: UnreadableDelivery.self) { try await desk.intake.process([delivery]) }
            try await desk.intake.bury(delivery, reason: "it is nonsense")
            let letters = "SELECT concat_ws(' ', tenant, routing_key, reason) FROM engine.dead_letters"
            #expect(try await desk.engine.texts(letters) == ["acme result.acme.student.level it is nonsense"])
        }
    }

    @Test("answers and the storing of their calls meet, whichever comes first")
    func race() async throws {
        try await AnswerDesk.with(Self.step) { desk in
            var machines: [RunMachine] = []
            for _ in 0..<12 { machines.append(try await desk.begin()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for machine in machines {
                    group.addTask {
                        var machine = machine
                        try await desk.send(&machine)
                    }
                    group.addTask { try await desk.answer(machine, Self.done) }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.isDue() == Array(repeating: true, count: machines.count))
            for machine in machines { #expect(try await desk.goOn(machine).status == .succeeded) }
        }
    }
}
