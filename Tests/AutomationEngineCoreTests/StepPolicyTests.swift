import Domain
import JSON
import Testing

@testable import AutomationEngineCore

/// What a step says, and does not say, of repetition, time and number.
@Suite("Policies of steps")
struct StepPolicyTests {
    private static func step(_ members: String, action: String = "data.transform") throws -> CompiledAutomation.Step {
        try Fixtures.automation(steps: #"{"action_key":"\#(action)"\#(members)}"#).steps[0]
    }

    private static let call = #","input":{"url":"https://x.org"}"#

    @Test("A16: what is left out has its documented default, never the least value")
    func defaults() throws {
        let standard = RetryPolicy(
            maximumAttempts: 3,
            delay: .seconds(1),
            backoff: .exponential,
            maximumDelay: .seconds(60),
            hasJitter: true
        )
        for retry in ["", #","retry":{}"#] {
            let step = try Self.step(retry + Self.call, action: "http.request")
            #expect(step.retry == standard && step.timeout == .seconds(30), "\(retry)")
        }
        // One member that is stated leaves the others as they are; a longer delay is not cut down to the default's longest.
        var stated = standard
        stated.maximumAttempts = 5
        #expect(try Self.step(#","retry":{"max_attempts":5}"#).retry == stated)
        let slow = try Self.step(#","retry":{"delay":"1h"}"#).retry
        #expect(slow.delay == .seconds(3_600) && slow.maximumDelay == .seconds(3_600) && slow.maximumAttempts == 3)
        let each = try #require(try Self.step(#","for_each":{"items":[]}"#).forEach)
        #expect(each.concurrency == 1 && each.maximumItems == 100)
        #expect(try Self.step("").onError == .fail)
        #expect(try Approval(Array(#"{"title":"x"}"#.utf8)).within == .seconds(7 * 86_400))
        #expect(try SignalWait(Array(#"{"type":"x"}"#.utf8)).within == .seconds(86_400))
    }

    @Test("A16: an explicit nought is nought")
    func noughts() throws {
        let retry = try Self.step(#","retry":{"delay":"0s","max_delay":"0ms"}"#).retry
        #expect(retry.delay == .zero && retry.maximumDelay == .zero)
        #expect(retry.delay(after: 1, chance: 0) == .zero && retry.delay(after: 2, chance: 1) == .zero)
        #expect(try Delay(Array(#"{"for":"0s"}"#.utf8), at: TestEngine.now).until == TestEngine.now)
    }

    @Test(
        "A16: a nought that makes no sense is refused where it stands",
        arguments: [
            (#","retry":{"max_attempts":0}"#, "/steps/0/retry/max_attempts"), (#","timeout":"0s""#, "/steps/0/timeout"),
            (#","for_each":{"items":[],"concurrency":0}"#, "/steps/0/for_each/concurrency"),
            (#","for_each":{"items":[],"max_items":0}"#, "/steps/0/for_each/max_items"),
        ]
    )
    func refusals(members: String, pointer: String) throws {
        do {
            _ = try Self.step(members)
            Issue.record("\(members) is taken")
        } catch let error as Fixtures.UnexpectedFaults {
            #expect(error.faults.map(\.pointer.text) == [pointer])
        }
        for wait in [#"{"title":"x","within":"0s"}"#, #"{"title":"x","within":"0ms"}"#] {
            #expect(throws: StepError.self) { try Approval(Array(wait.utf8)) }
        }
        #expect(throws: StepError.self) { try SignalWait(Array(#"{"type":"x","within":"0s"}"#.utf8)) }
    }
}
