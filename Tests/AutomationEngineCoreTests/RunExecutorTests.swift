import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON
import Testing

@testable import AutomationEngineCore

@Suite("Execution of runs")
struct RunExecutorTests {
    private let signal = IncomingSignal(
        id: UUIDv7.make(),
        tenant: "acme",
        type: "a.b",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        event: Array(#"{"id":"1"}"#.utf8)
    )

    private func automation(steps: [AutomationDefinition.Step]) -> CompiledAutomation {
        CompiledAutomation(
            id: UUIDv7.make(),
            tenant: "acme",
            key: "one",
            version: 3,
            definition: AutomationDefinition(trigger: .exact("a.b"), steps: steps)
        )
    }

    private var executor: RunExecutor {
        RunExecutor(now: { 1_763_688_555_123_456 })
    }

    @Test("data.transform outputs its input")
    func transform() {
        let input = Array(#"{"a":1}"#.utf8)
        let run = executor.execute(
            automation(steps: [.init(name: "s", actionKey: "data.transform", input: input)]),
            for: signal,
            runID: UUIDv7.make()
        )
        #expect(run.status == .succeeded)
        #expect(run.steps.map(\.output) == [input])
        #expect(run.finishedAt == 1_763_688_555_123_456)
        #expect(run.subtype == "automation:one")
    }

    @Test("a record is canonical JSON of the run's rows, and its hash depends on each of them")
    func record() throws {
        var run = executor.execute(
            automation(steps: [.init(name: "s", actionKey: "data.transform", input: Array(#"{"a":1}"#.utf8))]),
            for: signal,
            runID: UUIDv7.make()
        )
        let bytes = run.recordBytes
        #expect(try JSONValue(parsing: bytes).canonicalBytes() == bytes)
        let record = try JSONDocument(parsing: bytes).root
        #expect(record["run"]?["event"]?.stringValue == SHA256.hash(data: signal.event).hex)
        #expect(record["run"]?["started_at"]?.stringValue == "2025-11-21T01:29:15.123456Z")
        #expect(record["steps"]?[0]?["output"]?.stringValue == SHA256.hash(data: Array(#"{"a":1}"#.utf8)).hex)
        let hash = run.recordHash
        run.steps[0].status = .failed
        #expect(run.recordHash != hash)
    }

    @Test("a run leaves one entry with the hash of its record")
    func endEntry() throws {
        let run = executor.execute(automation(steps: []), for: signal, runID: UUIDv7.make())
        let entry = try JSONDocument(
            parsing: run.endEntry(at: 1_763_688_555_123_456).canonicalBytes(producer: "p/h/0", epoch: 1, seq: 1)
        ).root
        #expect(entry["action"]?.stringValue == "run.end")
        #expect(entry["after"]?["record"]?.stringValue == run.recordHash)
        #expect(entry["trace_id"]?.stringValue == "0af7651916cd43dd8448eb211c80319c")
        #expect(try entry.value.canonicalBytes() == Array(entry.rawBytes))
    }
}
