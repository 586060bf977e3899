import Domain
import FoundationEssentials
import JSON
import Testing

@testable import AutomationEngineCore

/// What becomes of a run whose step is answered over the broker; no broker is needed.
@Suite("Runs that wait for answers of services")
struct BrokerActionMachineTests {
    private static let now: Int64 = 1_763_688_555_123_456
    private static let call = #"{"name":"level","action_key":"student.level","retry":{"max_attempts":2,"delay":"1s"}}"#
    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"n":"{{ steps.level.output.n }}"}}"#

    /// A run whose first step's call is sent.
    private func sent(_ steps: String..., more: String = "") throws -> RunMachine {
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]\#(more)}"#
        )
        var machine = RunMachine(automation, signal: try Fixtures.signal(), runID: UUIDv7.make(), at: Self.now)
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        #expect(machine.takeChange().started.map(\.number) == [1])
        _ = machine.attemptEnded(0, .sent(within: .seconds(60)), at: Self.now, chance: 0)
        return machine
    }

    /// The run as somebody who claims it finds it in its rows.
    private func claimed(_ machine: RunMachine, _ answer: String? = nil, at position: Int = 0) -> RunMachine {
        var record = machine.record
        for position in record.steps.indices { record.steps[position].isLookedAt = true }
        if let answer {
            record.steps[position].awaits = true
            record.steps[position].arrival = Array(answer.utf8)
        }
        return RunMachine(machine.automation, signal: machine.signal, stored: record)
    }

    private func code(_ step: RunRecord.Step) throws -> String? {
        try step.error.map { try JSONValue(parsing: $0)["code"]?.stringValue ?? "" }
    }

    @Test("a call that is sent leaves its attempt open, and the run waits without a driver")
    func waits() throws {
        var machine = try sent(Self.call, Self.after)
        #expect(machine.record.status == .waiting && machine.record.steps[0].status == .waiting)
        let change = machine.takeChange()
        #expect(change.ended.isEmpty && change.timer == .seconds(60))
        #expect(change.opened[0]?.kind == .action && change.opened[0]?.attempt == 1)
        // It is claimed for another reason, and nothing has come.
        var again = claimed(machine)
        again.elapse(.seconds(20))
        #expect(again.resumed(at: Self.now) == .wait(.seconds(40)))
        #expect(again.takeChange().ended.isEmpty)
    }

    @Test("an answer ends the attempt and the step, and what was waited for goes with it")
    func answered() throws {
        var machine = claimed(try sent(Self.call, Self.after), #"{"status":"succeeded","output":{"n":7}}"#)
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .succeeded])
        #expect(machine.record.steps[1].output == Array(#"{"n":7}"#.utf8))
        let change = machine.takeChange()
        #expect(change.ended.map(\.outcome) == [.succeeded(output: Array(#"{"n":7}"#.utf8))])
        #expect(change.closed == [0] && change.opened.isEmpty)
    }

    @Test("a failure is tried again where the service says so, and is final where it does not")
    func failed() throws {
        let busy = #"{"status":"failed","error":{"code":"busy","detail":"d"},"retryable":true,"retry_after":"10s"}"#
        var machine = claimed(try sent(Self.call), busy)
        #expect(machine.resumed(at: Self.now) == .wait(.seconds(10)))
        #expect(try code(machine.record.steps[0]) == "busy")
        #expect(!machine.record.steps[0].awaits && !machine.record.steps[0].isSent)
        #expect(machine.takeChange().closed == [0])
        machine.elapse(.seconds(10))
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        #expect(machine.record.steps[0].attempt == 2)

        let no = #"{"status":"failed","error":{"code":"unknown_student","detail":"d"}}"#
        var final = claimed(try sent(Self.call), no)
        #expect(final.resumed(at: Self.now) == .end)
        #expect(final.record.status == .failed)
        #expect(try code(final.record.steps[0]) == "unknown_student")
    }

    @Test("without an answer in time the outcome is unknown", arguments: [false, true])
    func timedOut(isIdempotent: Bool) throws {
        let step = Self.call.replacing(#""retry""#, with: #""idempotent":\#(isIdempotent),"retry""#)
        var machine = claimed(try sent(step))
        machine.elapse(.seconds(60))
        let next = machine.resumed(at: Self.now)
        #expect(next == (isIdempotent ? .wait(.seconds(1)) : .park))
        #expect(try code(machine.record.steps[0]) == "timed_out")
        let change = machine.takeChange()
        #expect(change.timedOut == [0] && change.closed == [0])
        #expect(change.ended.map(\.outcome.name) == ["unknown"])
    }

    @Test("an answer that was there before the engine died is taken, and without one the attempt is lost")
    func crashed() throws {
        let automation = try Fixtures.automation(steps: Self.call)
        var machine = RunMachine(automation, signal: try Fixtures.signal(), runID: UUIDv7.make(), at: Self.now)
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        var lost = claimed(machine)
        #expect(lost.resumed(at: Self.now) == .park)
        #expect(try code(lost.record.steps[0]) == "attempt_lost")
        #expect(lost.takeChange().timedOut == [0])
        var taken = claimed(machine, #"{"status":"succeeded","output":1}"#)
        #expect(taken.resumed(at: Self.now) == .end)
        #expect(taken.record.status == .succeeded && taken.record.steps[0].attempt == 1)
        // The answer comes while a person is asked.
        var late = claimed(lost, #"{"status":"succeeded","output":1}"#)
        #expect(late.resumed(at: Self.now) == .end)
        #expect(late.record.status == .succeeded)
        #expect(late.takeChange().ended.map(\.outcome.name) == ["succeeded"])
    }

    @Test("a step that has failed elsewhere lets a call that is sent come to its end first")
    func branches() throws {
        let failing =
            #"{"name":"bad","action_key":"data.transform","needs":[],"input":{"x":"{{ signal.data.none }}"},"on_error":{"branch":"undo"}}"#
        let undo = #"{"name":"undone","action_key":"data.transform","input":{"level":"{{ steps.level.status }}"}}"#
        let call = Self.call.replacing(#""retry""#, with: #""needs":[],"retry""#)
        let automation = try Fixtures.automation(
            """
            {"trigger":{"signalType":"a.b"},"steps":[\(call),\(failing)],
             "branches":{"undo":{"steps":[\(undo)]}}}
            """
        )
        var machine = RunMachine(automation, signal: try Fixtures.signal(), runID: UUIDv7.make(), at: Self.now)
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        let next = machine.attemptEnded(0, .sent(within: .seconds(60)), at: Self.now, chance: 0)
        #expect(next == .wait(.seconds(60)))
        #expect(machine.record.steps.map(\.status) == [.waiting, .failed, .queued])
        machine = claimed(machine, #"{"status":"succeeded","output":1}"#)
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.steps[2].output == Array(#"{"level":"succeeded"}"#.utf8))
    }

    @Test("canceling a run, or giving it up, ends an attempt that is with a service as one of unknown outcome")
    func canceled() throws {
        var canceled = try sent(Self.call).record
        #expect(canceled.cancel(at: Self.now).ended.map(\.outcome.name) == ["unknown"])
        #expect(canceled.steps[0].status == .canceled && !canceled.steps[0].awaits)
        var givenUp = try sent(Self.call, Self.after).record
        let change = givenUp.giveUp(.notExecutable("x"), at: Self.now)
        #expect(change.ended.map(\.outcome.name) == ["unknown"] && change.closed == [0])
        #expect(givenUp.status == .unknown && givenUp.steps.map(\.status) == [.unknown, .queued])
    }

    @Test("an output that the action's schema does not allow fails the step, and an answer of another kind is none")
    func outputs() throws {
        let schema = ActionSchema(["type": "object", "required": ["n"]])
        func name(_ answer: String, _ schema: ActionSchema?) -> String {
            let outcome = ActionAnswer.outcome(Array(answer.utf8), under: schema)
            return [outcome.name, outcome.error?.code].compactMap(\.self).joined(separator: " ")
        }
        #expect(name(#"{"status":"succeeded","output":{"n":1}}"#, schema) == "succeeded")
        #expect(name(#"{"status":"succeeded","output":{}}"#, schema) == "failed invalid_output")
        #expect(name(#"{"status":"succeeded"}"#, nil) == "succeeded")
        #expect(name(#"{"status":"failed","error":{"code":"c","detail":"d"}}"#, schema) == "failed c")
    }
}
