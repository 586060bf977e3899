import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON
import Testing

@testable import AutomationEngineCore

@Suite("State of a run")
struct RunMachineTests {
    private static let now: Int64 = 1_763_688_555_123_456
    private static let post =
        #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"https://x.org"}}"#

    private func machine(
        _ steps: String...,
        data: String = "{}",
        depth: Int? = nil
    ) throws -> RunMachine {
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
        )
        return RunMachine(
            automation,
            signal: try Fixtures.signal(data: data, depth: depth),
            runID: UUIDv7.make(),
            at: Self.now
        )
    }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    private func failure(_ code: String = "x", retryable: Bool = true, after: Duration? = nil) -> AttemptOutcome {
        .failed(
            AttemptOutcome.Failure(
                error: StepError(code: code, detail: "It failed."),
                isRetryable: retryable,
                retryAfter: after
            )
        )
    }

    // MARK: Steps without effects

    @Test("steps without effects complete at once, and later ones see the outputs of earlier ones")
    func pure() throws {
        var machine = try machine(
            #"{"name":"one","action_key":"data.transform","input":{"n":"{{ signal.data.n }}"}}"#,
            #"{"name":"two","action_key":"data.transform","input":{"t":"n is {{ steps.one.output.n }}","s":"{{ steps.one.status }}"}}"#,
            data: #"{"n":7}"#
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .succeeded)
        #expect(machine.record.finishedAt == Self.now)
        #expect(machine.record.steps.map { text($0.output) } == [#"{"n":7}"#, #"{"t":"n is 7","s":"succeeded"}"#])
        #expect(machine.record.steps.map(\.attempt) == [1, 1])
        #expect(machine.takeChange().started.isEmpty)
    }

    @Test("a value that is missing fails its step with the place, and the steps after it are skipped")
    func missing() throws {
        var machine = try machine(
            #"{"name":"one","action_key":"data.transform","input":{"a":{"b":"{{ signal.data.none }}"}}}"#,
            #"{"name":"two","action_key":"data.transform"}"#
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .failed)
        #expect(machine.record.steps.map(\.status) == [.failed, .skipped])
        let error = try JSONDocument(parsing: try #require(machine.record.steps[0].error)).root
        #expect(error["code"]?.stringValue == "missing_value")
        #expect(error["pointer"]?.stringValue == "/steps/0/input/a/b")
        let runError = try JSONDocument(parsing: try #require(machine.record.error)).root
        #expect(runError["step"]?.stringValue == "one")
    }

    @Test("a step whose when does not match is skipped, and the run goes on", arguments: [true, false])
    func when(isBig: Bool) throws {
        var machine = try machine(
            #"{"name":"one","action_key":"data.transform","when":{"signal":{"data":{"n":[{"numeric":[">",10]}]}}}}"#,
            #"{"name":"two","action_key":"data.transform","when":{"steps":{"one":{"status":["skipped"]}}}}"#,
            data: #"{"n":\#(isBig ? 11 : 9)}"#
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .succeeded)
        #expect(machine.record.steps.map(\.status) == (isBig ? [.succeeded, .skipped] : [.skipped, .succeeded]))
    }

    @Test("a step that may fail lets the run go on")
    func onError() throws {
        var machine = try machine(
            #"{"name":"one","action_key":"data.transform","on_error":"continue","input":{"a":"{{ signal.data.none }}"}}"#,
            #"{"name":"two","action_key":"data.transform","input":{"was":"{{ steps.one.status }}"}}"#
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .succeeded)
        #expect(machine.record.steps.map(\.status) == [.failed, .succeeded])
        #expect(text(machine.record.steps[1].output) == #"{"was":"failed"}"#)
    }

    @Test("Judging: an emitted signal has an id of its own run and step, and says how many led to it")
    func emit() throws {
        let step =
            #"{"name":"tell","action_key":"signal.emit","input":{"type":"orders.paid","data":{"n":"{{ signal.data.n }}"}}}"#
        var machine = try machine(step, step.replacing("tell", with: "again"), data: #"{"n":1}"#, depth: 15)
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .succeeded)
        let emissions = machine.takeChange().emissions
        #expect(emissions.count == 2)
        #expect(emissions[0].signalID == Emission.id(run: machine.record.id, position: 0, item: 0))
        #expect(emissions[0].signalID != emissions[1].signalID)
        let read = try IncomingSignal(JSONDocument(parsing: emissions[0].event).root, tenant: "acme")
        #expect(read.id == emissions[0].signalID)
        #expect(read.depth == 16)
        #expect(read.type == "orders.paid")
        #expect(read.view["data"]?["n"]?.int64Value == 1)
        #expect(UUIDv7.milliseconds(of: read.id) == UUIDv7.milliseconds(of: machine.record.id))
    }

    @Test("Judging: the seventeenth signal that one led to by the other is refused and recorded")
    func causation() throws {
        var machine = try machine(
            #"{"name":"tell","action_key":"signal.emit","input":{"type":"orders.paid"}}"#,
            depth: 16
        )
        #expect(machine.resumed(at: Self.now) == .end)
        #expect(machine.record.status == .failed)
        #expect(text(machine.record.steps[0].error)?.contains("causation_too_deep") == true)
        #expect(machine.takeChange().emissions.isEmpty)
    }

    // MARK: Effects

    @Test("Rule 3: an attempt is recorded before its effect, and its end with the next step")
    func attempt() throws {
        var machine = try machine(
            Self.post,
            #"{"name":"after","action_key":"data.transform","input":{"s":"{{ steps.call.output.status }}"}}"#
        )
        #expect(machine.resumed(at: Self.now) == .attempts([0]))
        #expect(machine.record.status == .running)
        let begun = machine.takeChange()
        #expect(begun.started == [RunChange.AttemptStart(position: 0, number: 1, startedAt: Self.now)])
        #expect(
            machine.attemptEnded(0, .succeeded(output: Array(#"{"status":204}"#.utf8)), at: Self.now + 5, chance: 0)
                == .end
        )
        #expect(machine.record.status == .succeeded)
        #expect(text(machine.record.steps[1].output) == #"{"s":204}"#)
        let ended = machine.takeChange()
        #expect(ended.ended.map(\.number) == [1])
        #expect(ended.steps == [0, 1])
    }

    @Test("without room for an attempt the run waits in the queue, and nothing is recorded of the step")
    func queued() throws {
        var machine = try machine(#"{"name":"one","action_key":"data.transform"}"#, Self.post)
        #expect(machine.resumed(at: Self.now, mayAttempt: false) == .queue)
        #expect(machine.record.status == .queued)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .queued])
        #expect(machine.takeChange().started.isEmpty)
        #expect(machine.resumed(at: Self.now) == .attempts([1]))
        #expect(machine.record.status == .running)
    }

    @Test("a driver that ends leaves the next attempt to others")
    func draining() throws {
        var machine = try machine(Self.post, Self.post.replacing("call", with: "more"))
        _ = machine.resumed(at: Self.now)
        let output = Array(#"{"status":200}"#.utf8)
        let next = machine.attemptEnded(0, .succeeded(output: output), at: Self.now, chance: 0, mayAttempt: false)
        #expect(next == .queue)
        #expect(machine.record.status == .queued)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .queued])
    }

    @Test("a known failure is tried again after a growing delay, until no attempt is left")
    func retries() throws {
        let retry = #","retry":{"max_attempts":3,"delay":"1s","backoff":"exponential","jitter":false}}"#
        var machine = try machine(Self.post.dropLast() + retry)
        var now = Self.now
        #expect(machine.resumed(at: now) == .attempts([0]))
        for delay: Int64 in [1_000_000, 2_000_000] {
            #expect(machine.attemptEnded(0, failure(), at: now, chance: 0) == .wait(.microseconds(delay)))
            #expect(machine.record.status == .waiting)
            #expect(machine.record.steps[0].status == .waiting)
            #expect(machine.takeChange().timer == .microseconds(delay))
            now += delay
            machine.elapse(.microseconds(delay))
            #expect(machine.resumed(at: now) == .attempts([0]))
        }
        #expect(machine.record.steps[0].attempt == 3)
        #expect(machine.attemptEnded(0, failure(), at: now, chance: 0) == .end)
        #expect(machine.record.status == .failed)
    }

    @Test("a failure that cannot pass is not tried again")
    func permanent() throws {
        var machine = try machine(Self.post)
        _ = machine.resumed(at: Self.now)
        #expect(machine.attemptEnded(0, failure(retryable: false), at: Self.now, chance: 0) == .end)
        #expect(machine.record.status == .failed)
    }

    @Test("what the other side asks to wait counts, up to the longest delay")
    func retryAfter() throws {
        for (asked, waited) in [(Duration.seconds(30), Int64(30)), (.seconds(3_600), 60)] {
            var machine = try machine(Self.post)
            _ = machine.resumed(at: Self.now)
            let next = machine.attemptEnded(0, failure(after: asked), at: Self.now, chance: 1)
            #expect(next == .wait(.seconds(waited)))
        }
    }

    @Test(
        "Step outcomes of http.request: an unknown one parks the run, unless the call may be repeated",
        arguments: [
            ("POST", "", false), ("PATCH", "", false), ("GET", "", true), ("PUT", "", true), ("DELETE", "", true),
            ("HEAD", "", true), ("POST", #","idempotent":true"#, true), ("GET", #","idempotent":false"#, false),
        ]
    )
    func unknown(method: String, more: String, isRepeated: Bool) throws {
        let step =
            #"{"name":"call","action_key":"http.request","input":{"method":"\#(method)","url":"https://x.org"}\#(more)}"#
        // The same where the engine that made the attempt is gone.
        for isLost in [true, false] {
            var machine = try machine(step)
            _ = machine.resumed(at: Self.now)
            _ = machine.takeChange()
            let next =
                isLost
                ? machine.resumed(at: Self.now)
                : machine.attemptEnded(0, .unknown(StepError(code: "x", detail: "?")), at: Self.now, chance: 0)
            #expect(next == (isRepeated ? .wait(.seconds(1)) : .park))
            #expect(machine.record.status == (isRepeated ? .waiting : .unknown))
            #expect(machine.record.steps[0].status == (isRepeated ? .waiting : .unknown))
            #expect(machine.takeChange().ended.map(\.outcome.name) == ["unknown"])
        }
    }

    @Test("a record is canonical JSON of the run's rows, and its hash depends on each of them")
    func record() throws {
        var machine = try machine(#"{"name":"s","action_key":"data.transform","input":{"a":1}}"#)
        _ = machine.resumed(at: Self.now)
        var run = machine.record
        let bytes = run.recordBytes
        #expect(try JSONValue(parsing: bytes).canonicalBytes() == bytes)
        let record = try JSONDocument(parsing: bytes).root
        #expect(record["run"]?["event"]?.stringValue == SHA256.hash(data: machine.signal.event).hex)
        #expect(record["run"]?["started_at"]?.stringValue == "2025-11-21T01:29:15.123456Z")
        #expect(record["steps"]?[0]?["output"]?.stringValue == SHA256.hash(data: Array(#"{"a":1}"#.utf8)).hex)
        let hash = run.recordHash
        run.steps[0].attempt = 2
        #expect(run.recordHash != hash)
    }

    @Test("a run leaves one entry with the hash of its record")
    func endEntry() throws {
        var machine = try machine(#"{"name":"s","action_key":"data.transform"}"#)
        _ = machine.resumed(at: Self.now)
        let run = machine.record
        let entry = try JSONDocument(
            parsing: run.endEntry(at: Self.now).canonicalBytes(producer: "p/h/0", epoch: 1, seq: 1)
        ).root
        #expect(entry["action"]?.stringValue == "run.end")
        #expect(entry["after"]?["record"]?.stringValue == run.recordHash)
        #expect(entry["trace_id"]?.stringValue == "0af7651916cd43dd8448eb211c80319c")
        #expect(try entry.value.canonicalBytes() == Array(entry.rawBytes))
    }
}

@Suite("Delays between attempts")
struct RetryPolicyTests {
    @Test("delays grow to their limit and no further, whatever the number of the attempt")
    func grows() {
        let policy = RetryPolicy(maximumAttempts: .max, delay: .seconds(1), maximumDelay: .seconds(5), hasJitter: false)
        #expect(
            [1, 2, 3, 4, 1_000_000].map { policy.delay(after: $0, chance: 0) } == [1, 2, 4, 5, 5].map { .seconds($0) }
        )
    }

    @Test("jitter shortens a delay to its half at most")
    func jitter() {
        let policy = RetryPolicy(maximumAttempts: 2, delay: .seconds(2))
        #expect(policy.delay(after: 1, chance: 0) == .seconds(2))
        #expect(policy.delay(after: 1, chance: 1) == .seconds(1))
        #expect(policy.delay(after: 2, chance: 0) == nil)
    }
}
