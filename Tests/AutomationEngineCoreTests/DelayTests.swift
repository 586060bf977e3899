import Domain
import JSON
import Testing

@testable import AutomationEngineCore

/// `flow.delay`: a run that waits.
@Suite struct DelayTests {
    private static let now = TestEngine.now

    private func begin(
        _ input: String,
        then steps: String...,
        isDry: Bool = false
    ) throws -> (RunMachine, RunMachine.Next) {
        let wait = #"{"name":"wait","action_key":"flow.delay","input":\#(input)}"#
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(([wait] + steps).joined(separator: ","))]}"#
        )
        var signal = try Fixtures.signal(data: #"{"pause":"2m","at":"2025-11-21T01:29:20Z"}"#)
        signal.isForDryRun = isDry
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: Self.now)
        let next = machine.resumed(at: Self.now)
        return (machine, next)
    }

    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"t":"{{ steps.wait.output.until }}"}}"#

    @Test(
        "the run waits for a timer, and goes on with what comes after",
        arguments: [
            (#"{"for":"5s"}"#, 5_000_000), (#"{"for":"{{ signal.data.pause }}"}"#, 120_000_000),
            (#"{"until":"{{ signal.data.at }}"}"#, 4_876_544), (#"{"until":"2025-11-21T01:29:16Z"}"#, 876_544),
        ] as [(String, Int64)]
    )
    func waits(input: String, microseconds: Int64) throws {
        var (machine, next) = try begin(input, then: Self.after)
        #expect(next == .wait(.microseconds(microseconds)))
        #expect(machine.record.status == .waiting)
        #expect(machine.record.steps.map(\.status) == [.waiting, .queued])
        #expect(machine.takeChange().timer == .microseconds(microseconds))
        machine.elapse(.microseconds(microseconds - 1))
        #expect(machine.resumed(at: Self.now + microseconds) == .wait(.microseconds(1)))
        #expect(machine.takeChange().timer == .microseconds(1))
        machine.elapse(.microseconds(1))
        #expect(machine.resumed(at: Self.now + microseconds) == .end)
        #expect(machine.record.status == .succeeded)
        let output = try JSONValue(parsing: #require(machine.record.steps[1].output))
        #expect(output["t"]?.stringValue?.hasPrefix("2025-11-21T01:") == true)
        #expect(machine.takeChange().timer == nil)
    }

    @Test(
        "a time that is past, and no time at all, are not waited for",
        arguments: [
            #"{"for":"0s"}"#, #"{"until":"2025-11-21T01:29:15Z"}"#,
        ]
    )
    func past(input: String) throws {
        let (machine, next) = try begin(input, then: Self.after)
        #expect(next == .end)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .succeeded])
    }

    @Test("a dry run passes at once, saying so")
    func dry() throws {
        let (machine, next) = try begin(#"{"for":"5s"}"#, then: Self.after, isDry: true)
        #expect(next == .end)
        let simulation = try JSONValue(parsing: #require(machine.record.steps[0].simulation))
        #expect(
            simulation["would"]?.stringValue
                == "Wait until 2025-11-21T01:29:20.123456Z, which a dry run does not."
        )
    }

    @Test(
        "what is no time fails the step",
        arguments: [
            #"{"for":"{{ signal.data.at }}"}"#, #"{"until":"{{ signal.data.pause }}"}"#,
            #"{"until":"2027-11-21T00:00:00Z"}"#,
        ]
    )
    func fails(input: String) throws {
        let (machine, next) = try begin(input)
        #expect(next == .end)
        #expect(machine.record.status == .failed)
    }

    @Test(
        "what can be known before is refused with its definition",
        arguments: [
            (#"{}"#, "/for", "required"), (#"{"for":"5s","until":"2025-11-21T01:29:15Z"}"#, "/until", "invalid_value"),
            (#"{"for":"5 s"}"#, "/for", "invalid_duration"), (#"{"for":5}"#, "/for", "invalid_duration"),
            (#"{"for":"367d"}"#, "/for", "invalid_duration"), (#"{"until":"tomorrow"}"#, "/until", "invalid_value"),
            (#"{"for":"5s","why":1}"#, "/why", "unknown_member"),
        ]
    )
    func refused(input: String, pointer: String, code: String) throws {
        let definition =
            #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"flow.delay","input":\#(input)}]}"#
        var reader = DefinitionReader(registry: .builtIn, from: .author)
        guard case .faults(let faults) = reader.read(try JSONDocument(parsing: definition).root, at: .root) else {
            Issue.record("it is taken")
            return
        }
        #expect(faults.map(\.pointer.text) == ["/steps/0/input\(pointer)"])
        #expect(faults.map(\.code) == [code])
    }
}
