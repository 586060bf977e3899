import Domain
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Steps side by side, branches and items")
struct StepGraphTests {
    private static let now: Int64 = 1_763_688_555_123_456
    private static let ok = AttemptOutcome.succeeded(output: Array(#"{"status":200}"#.utf8))
    private static let bad = AttemptOutcome.failed(
        AttemptOutcome.Failure(error: StepError(code: "http_status", detail: "The answer was 400."), isRetryable: false)
    )

    private static func call(_ name: String, _ more: String = "") -> String {
        #"{"name":"\#(name)","action_key":"http.request","input":{"method":"POST","url":"https://x.org"}\#(more)}"#
    }

    private static func note(_ name: String, _ more: String = "") -> String {
        #"{"name":"\#(name)","action_key":"data.transform"\#(more)}"#
    }

    private func machine(_ steps: [String], branches: String = "{}", data: String = "{}") throws -> RunMachine {
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))],"branches":\#(branches)}"#
        )
        return RunMachine(
            automation,
            signal: try Fixtures.signal(data: data),
            runID: UUIDv7.make(),
            at: Self.now
        )
    }

    private func statuses(_ machine: RunMachine) -> [String] {
        machine.record.steps.map { "\($0.name) \($0.status.rawValue)" }
    }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    // MARK: needs

    @Test("steps that nothing orders are executed at once, and one that needs both begins after the last")
    func sideBySide() throws {
        var machine = try machine([
            Self.call("one"), Self.call("two", #","needs":[]"#),
            Self.note("both", #","needs":["one","two"],"input":{"s":"{{ steps.two.output.status }}"}"#),
        ])
        #expect(machine.resumed(at: Self.now) == .attempts([0, 1]))
        #expect(machine.takeChange().started.map(\.position) == [0, 1])
        #expect(machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .attempts([]))
        #expect(machine.record.status == .running)
        #expect(statuses(machine) == ["one running", "two succeeded", "both queued"])
        #expect(machine.attemptEnded(0, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == .succeeded)
        #expect(text(machine.record.steps[2].output) == #"{"s":200}"#)
    }

    @Test("when a step fails, those beside it end, nothing else begins, and what waits is canceled")
    func failsTogether() throws {
        var machine = try machine([
            Self.call("one"), Self.call("two", #","needs":[]"#), Self.call("three", #","needs":[]"#),
            Self.note("after", #","needs":["two"]"#),
        ])
        #expect(machine.resumed(at: Self.now) == .attempts([0, 1, 2]))
        let retryable = AttemptOutcome.failed(
            AttemptOutcome.Failure(error: StepError(code: "x", detail: "It failed."), isRetryable: true)
        )
        #expect(machine.attemptEnded(2, retryable, at: Self.now, chance: 0) == .attempts([]))
        #expect(machine.attemptEnded(0, Self.bad, at: Self.now, chance: 0) == .attempts([]))
        #expect(machine.record.steps[2].status == .canceled)
        #expect(machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == .failed)
        #expect(statuses(machine) == ["one failed", "two succeeded", "three canceled", "after skipped"])
    }

    @Test("a step whose time has come goes on while the attempt of another is under way")
    func waitsBeside() throws {
        var machine = try machine([
            Self.call("slow"),
            #"{"name":"pause","action_key":"flow.delay","needs":[],"input":{"for":"10s"}}"#,
            Self.call("next", #","needs":["pause"]"#),
        ])
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        #expect(machine.takeChange().timer == nil)
        #expect(machine.nextWait == .seconds(10))
        machine.elapse(.seconds(4))
        #expect(machine.timePassed(at: Self.now) == .attempts([]))
        #expect(machine.nextWait == .seconds(6))
        machine.elapse(.seconds(6))
        #expect(machine.timePassed(at: Self.now) == .attempts([2]))
        #expect(machine.record.steps[1].status == .succeeded)
    }

    @Test("a run with several waiting steps goes on with the first of them, and the others wait on")
    func severalWaits() throws {
        var machine = try machine([
            #"{"name":"long","action_key":"flow.delay","input":{"for":"10s"}}"#,
            #"{"name":"short","action_key":"flow.delay","needs":[],"input":{"for":"3s"}}"#,
        ])
        #expect(machine.resumed(at: Self.now) == .wait(.seconds(3)))
        machine.elapse(.seconds(3))
        #expect(machine.resumed(at: Self.now) == .wait(.seconds(7)))
        #expect(statuses(machine) == ["long waiting", "short succeeded"])
        machine.elapse(.seconds(7))
        #expect(machine.resumed(at: Self.now) == .end)
    }

    @Test("while one step is of unknown outcome the others go on, and then a person decides")
    func unknownBeside() throws {
        var machine = try machine([Self.call("one"), Self.call("two", #","needs":[]"#), Self.note("last")])
        _ = machine.resumed(at: Self.now)
        let unknown = AttemptOutcome.unknown(StepError(code: "x", detail: "?"))
        #expect(machine.attemptEnded(0, unknown, at: Self.now, chance: 0) == .attempts([]))
        #expect(machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .park)
        #expect(machine.record.status == .unknown)
        #expect(statuses(machine) == ["one unknown", "two succeeded", "last succeeded"])
    }

    // MARK: Branches

    private static let branches =
        #"{"tell":{"steps":[{"name":"tell","action_key":"http.request","input":{"method":"POST","url":"https://x.org","body":{"why":"{{ steps.one.error.detail }}","after":"{{ steps.after.status }}"}}}]}}"#

    @Test("a failure leads to its branch, which reads why, and the run has failed all the same")
    func branch() throws {
        var machine = try machine(
            [Self.call("one", #","on_error":{"branch":"tell"}"#), Self.note("after")],
            branches: Self.branches
        )
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        #expect(machine.attemptEnded(0, Self.bad, at: Self.now, chance: 0) == .attempts([2]))
        let input = text(machine.record.steps[2].input) ?? ""
        #expect(input.contains(#""why":"The answer was 400.","after":"skipped""#), "\(input)")
        #expect(machine.attemptEnded(2, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == .failed)
        #expect(text(machine.record.error)?.contains(#"Step \"one\" failed: The answer was 400."#) == true)
        #expect(statuses(machine) == ["one failed", "after skipped", "tell succeeded"])
    }

    @Test("a branch that recovers lets the run succeed, unless it fails itself", arguments: [true, false])
    func recovering(succeeds: Bool) throws {
        var machine = try machine(
            [Self.call("one", #","on_error":{"branch":"tell"}"#), Self.note("after")],
            branches: Self.branches.replacing(#"{"steps""#, with: #"{"then":"succeed","steps""#)
        )
        _ = machine.resumed(at: Self.now)
        _ = machine.attemptEnded(0, Self.bad, at: Self.now, chance: 0)
        #expect(machine.attemptEnded(2, succeeds ? Self.ok : Self.bad, at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == (succeeds ? .succeeded : .failed))
        #expect((text(machine.record.error)?.contains("The branch") ?? false) == !succeeds)
    }

    @Test("without a failure the steps of a branch are skipped")
    func unusedBranch() throws {
        var machine = try machine(
            [Self.call("one", #","on_error":{"branch":"tell"}"#), Self.note("after")],
            branches: Self.branches
        )
        _ = machine.resumed(at: Self.now)
        #expect(machine.attemptEnded(0, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(statuses(machine) == ["one succeeded", "after succeeded", "tell skipped"])
    }

    @Test("a resumed run begins with what failed, and its branch is there again")
    func resumedBranch() throws {
        var machine = try machine(
            [Self.note("zero"), Self.call("one", #","on_error":{"branch":"tell"}"#), Self.note("after")],
            branches: Self.branches
        )
        _ = machine.resumed(at: Self.now)
        _ = machine.attemptEnded(1, Self.bad, at: Self.now, chance: 0)
        _ = machine.attemptEnded(3, Self.ok, at: Self.now, chance: 0)
        var record = machine.record
        _ = record.resume(machine.automation)
        #expect(record.steps.map(\.status) == [.succeeded, .queued, .queued, .queued])
        var resumed = RunMachine(machine.automation, signal: machine.signal, stored: record)
        #expect(resumed.resumed(at: Self.now) == .attempts([1]))
        #expect(resumed.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(statuses(resumed) == ["zero succeeded", "one succeeded", "after succeeded", "tell skipped"])
    }

    @Test("a branch that has its turn again begins anew: in its order, with effects of their own")
    func secondTurn() throws {
        let branch = """
            {"out":{"steps":[\(Self.call("guard")),
             {"name":"tell","action_key":"http.request","for_each":{"items":[1,2]},"input":{"url":"https://x.org"}}]}}
            """
        var machine = try machine([Self.call("one", #","on_error":{"branch":"out"}"#)], branches: branch)
        _ = machine.resumed(at: Self.now)
        #expect(machine.attemptEnded(0, Self.bad, at: Self.now, chance: 0) == .attempts([1]))
        #expect(machine.effectName(at: 1) == "guard")
        #expect(machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .attempts([3]))
        #expect(machine.attemptEnded(3, Self.ok, at: Self.now, chance: 0) == .attempts([4]))
        #expect(machine.attemptEnded(4, Self.bad, at: Self.now, chance: 0) == .end)
        var record = machine.record
        _ = record.resume(machine.automation)
        var again = RunMachine(machine.automation, signal: machine.signal, stored: record)
        #expect(again.resumed(at: Self.now) == .attempts([0]))
        #expect(again.attemptEnded(0, Self.bad, at: Self.now, chance: 0) == .attempts([1]))
        #expect(again.effectName(at: 1) == "guard~1" && again.effectName(at: 0) == "one")
        #expect(again.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .attempts([3]))
        #expect(again.record.steps[3].output == nil)
        #expect(again.attemptEnded(3, Self.ok, at: Self.now, chance: 0) == .attempts([4]))
        #expect(again.attemptEnded(4, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(again.record.steps.map(\.name) == ["one", "guard", "tell", "tell.0", "tell.1"])
        #expect(again.record.steps.dropFirst().allSatisfy { $0.status == .succeeded })
    }

    @Test("the time of an approval is never over while its run is driven: what has come shows when it is let go")
    func drivenApproval() throws {
        var machine = try machine([
            #"{"name":"ask","action_key":"flow.approval","input":{"title":"Go?","within":"1m","on_timeout":"approve"}}"#,
            Self.call("slow", #","needs":[]"#), Self.call("guarded", #","needs":["ask"]"#),
        ])
        #expect(machine.resumed(at: Self.now) == .attempts([1]))
        machine.elapse(.seconds(90))
        #expect(machine.nextTime == nil)
        #expect(machine.timePassed(at: Self.now) == .attempts([]))
        #expect(machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0) == .wait(.zero))
        #expect(statuses(machine) == ["ask waiting", "slow succeeded", "guarded queued"])
        machine.record.steps[0].isLookedAt = true
        machine.record.steps[0].arrival = Array(#"{"approved":false,"by":"vera"}"#.utf8)
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(statuses(machine) == ["ask failed", "slow succeeded", "guarded skipped"])
    }

    @Test("a run that cannot go on leaves what a person must decide to that person")
    func givenUp() throws {
        var machine = try machine([
            Self.call("one"), #"{"name":"pause","action_key":"flow.delay","needs":[],"input":{"for":"1h"}}"#,
        ])
        _ = machine.resumed(at: Self.now)
        let unknown = AttemptOutcome.unknown(StepError(code: "x", detail: "?"))
        #expect(machine.attemptEnded(0, unknown, at: Self.now, chance: 0) == .wait(.seconds(3_600)))
        var record = machine.record
        _ = record.giveUp(.notExecutable("It cannot be read."), at: Self.now)
        #expect(record.status == .unknown)
        #expect(record.steps.map(\.status) == [.unknown, .queued])
    }

    // MARK: Items

    @Test("a step is executed for each item, no more at once than it allows, and its output is theirs in order")
    func items() throws {
        let step =
            #"{"name":"call","action_key":"http.request","for_each":{"items":"{{ signal.data.ids }}","concurrency":2},"input":{"method":"POST","url":"https://x.org/{{ item.id }}","body":"{{ index }}"}}"#
        var machine = try machine(
            [step, Self.note("all", #","input":{"first":"{{ steps.call.output[0].status }}"}"#)],
            data: #"{"ids":[{"id":"a"},{"id":"b"},{"id":"c"}]}"#
        )
        #expect(machine.resumed(at: Self.now) == .attempts([2, 3]))
        #expect(machine.takeChange().added == [2, 3, 4])
        #expect(text(machine.record.steps[3].input)?.contains("https://x.org/b") == true)
        #expect(machine.attemptEnded(3, Self.ok, at: Self.now, chance: 0) == .attempts([4]))
        #expect(machine.attemptEnded(4, Self.ok, at: Self.now, chance: 0) == .attempts([]))
        #expect(machine.attemptEnded(2, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(text(machine.record.steps[0].output) == #"[{"status":200},{"status":200},{"status":200}]"#)
        #expect(text(machine.record.steps[1].output) == #"{"first":200}"#)
        #expect(machine.record.steps.map(\.name) == ["call", "all", "call.0", "call.1", "call.2"])
    }

    @Test(
        "one item that fails ends the step, unless it may go on; then the others are executed",
        arguments: [true, false]
    )
    func failedItem(goesOn: Bool) throws {
        let more = #","for_each":{"items":[1,2,3]}"# + (goesOn ? #","on_error":"continue""# : "")
        var machine = try machine([Self.call("call", more), Self.note("after")])
        #expect(machine.resumed(at: Self.now) == .attempts([2]))
        guard goesOn else {
            #expect(machine.attemptEnded(2, Self.bad, at: Self.now, chance: 0) == .end)
            #expect(
                statuses(machine) == [
                    "call failed", "after skipped", "call.0 failed", "call.1 skipped", "call.2 skipped",
                ]
            )
            #expect(text(machine.record.steps[0].error)?.contains("item_failed") == true)
            return
        }
        #expect(machine.attemptEnded(2, Self.bad, at: Self.now, chance: 0) == .attempts([3]))
        #expect(machine.attemptEnded(3, Self.ok, at: Self.now, chance: 0) == .attempts([4]))
        #expect(machine.attemptEnded(4, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == .succeeded)
        #expect(machine.record.steps[0].status == .failed)
        #expect(text(machine.record.steps[0].output) == #"[null,{"status":200},{"status":200}]"#)
    }

    @Test(
        "items are an array of no more values than allowed",
        arguments: [
            (#"{"n":7}"#, "invalid_input"), (#"{"n":[1,2,3,4]}"#, "too_many_items"), (#"{}"#, "missing_value"),
            (#"{"n":[]}"#, nil),
        ]
    )
    func itemFaults(data: String, code: String?) throws {
        var machine = try machine(
            [
                Self.note(
                    "each",
                    #","for_each":{"items":"{{ signal.data.n }}","max_items":3},"input":{"i":"{{ item }}"}"#
                )
            ],
            data: data
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == (code == nil ? .succeeded : .failed))
        #expect(code.map { text(machine.record.steps[0].error)?.contains($0) == true } ?? true)
    }

    @Test("the items of a run are bounded together, and one that is too many fails its step")
    func itemBudget() throws {
        let text = String(repeating: "x", count: 200 * 1_024)
        var machine = try machine(
            [
                Self.note(
                    "each",
                    #","for_each":{"items":"{{ signal.data.n }}"},"input":{"t":"{{ signal.data.t }}"}"#
                )
            ],
            data: #"{"n":[\#((0..<60).map(String.init).joined(separator: ","))],"t":"\#(text)"}"#
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .failed)
        #expect(machine.record.itemBytes < 9 << 20)
        #expect(machine.record.steps.contains { self.text($0.error)?.contains("items_too_large") == true })
    }

    @Test("an item begins when all that its step needs has ended, also where a resumption has that begin anew")
    func itemsNeed() throws {
        var machine = try machine([
            Self.note("zero", #","when":{"signal":{"data":{"never":[1]}}}"#),
            Self.call("each", #","for_each":{"items":[1,2],"concurrency":2}"#),
        ])
        #expect(machine.resumed(at: Self.now) == .attempts([2, 3]))
        _ = machine.attemptEnded(2, Self.bad, at: Self.now, chance: 0)
        #expect(machine.attemptEnded(3, Self.bad, at: Self.now, chance: 0) == .end)
        var record = machine.record
        _ = record.resume(machine.automation)
        #expect(record.steps.map(\.status) == [.queued, .running, .queued, .queued])
        let progress = RunProgress(machine.automation, record)
        #expect(record.steps.indices.map(progress.mayBegin) == [true, false, false, false])
        var resumed = RunMachine(machine.automation, signal: machine.signal, stored: record)
        #expect(resumed.resumed(at: Self.now) == .attempts([2, 3]))
        #expect(resumed.record.steps[0].status == .skipped)
    }

    @Test("a resumed run repeats the items that failed and those that were skipped, and no other")
    func resumedItems() throws {
        var machine = try machine([Self.call("call", #","for_each":{"items":[1,2,3]}"#)])
        _ = machine.resumed(at: Self.now)
        _ = machine.attemptEnded(1, Self.ok, at: Self.now, chance: 0)
        #expect(machine.attemptEnded(2, Self.bad, at: Self.now, chance: 0) == .end)
        var record = machine.record
        _ = record.resume(machine.automation)
        var resumed = RunMachine(machine.automation, signal: machine.signal, stored: record)
        #expect(resumed.resumed(at: Self.now) == .attempts([2]))
        #expect(resumed.attemptEnded(2, Self.ok, at: Self.now, chance: 0) == .attempts([3]))
        #expect(resumed.attemptEnded(3, Self.ok, at: Self.now, chance: 0) == .end)
        #expect(resumed.record.status == .succeeded)
        #expect(resumed.record.steps.map(\.attempt) == [1, 1, 2, 1])
    }

    @Test(
        "an error that is named is not tried again, whatever attempts are left",
        arguments: [
            (#"["http_status"]"#, true), ("[503]", true), (#"[500,"timeout"]"#, false),
        ]
    )
    func nonRetryable(errors: String, ends: Bool) throws {
        var machine = try machine([Self.call("call", #","retry":{"non_retryable":\#(errors)}"#)])
        _ = machine.resumed(at: Self.now)
        let error = StepError(
            code: "http_status",
            detail: "The answer was 503.",
            members: ["status": .number(Int64(503))]
        )
        let outcome = AttemptOutcome.failed(AttemptOutcome.Failure(error: error, isRetryable: true))
        let next = machine.attemptEnded(0, outcome, at: Self.now, chance: 0)
        #expect((next == .end) == ends)
    }
}
