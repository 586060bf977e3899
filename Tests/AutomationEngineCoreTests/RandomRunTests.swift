import Domain
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Random runs with random ends and crashes")
struct RandomRunTests {
    private static let now: Int64 = 1_763_688_555_123_456

    @Test("every run ends, in the order that its steps need, whatever happens to its attempts and its engine")
    func ends() throws {
        var random = SeededGenerator.random(for: "random runs")
        for _ in 0..<1_500 {
            let automation = try Fixtures.automation(Self.definition(&random))
            try Self.drive(automation, &random)
        }
    }

    // MARK: Definitions

    private static func definition(_ random: inout SeededGenerator) -> String {
        let main = list("s", count: Int.random(in: 1...6, using: &random), mayBranch: true, &random)
        let branch = list("b", count: Int.random(in: 1...3, using: &random), mayBranch: false, &random)
        let then = Bool.random(using: &random) ? "fail" : "succeed"
        // The branch is named, so that it may be there.
        return """
            {"trigger":{"signalType":"a.b"},"steps":[
             {"name":"first","action_key":"data.transform","on_error":{"branch":"out"}},\(main)],
             "branches":{"out":{"then":"\(then)","steps":[\(branch)]}}}
            """
    }

    private static func list(_ prefix: String, count: Int, mayBranch: Bool, _ random: inout SeededGenerator) -> String {
        (0..<count).map { number in
            var step = #"{"name":"\#(prefix)\#(number)""#
            switch Int.random(in: 0..<4, using: &random) {
            case 0: step += #","action_key":"data.transform","input":{"n":1}"#
            case 1: step += #","action_key":"flow.delay","input":{"for":"\#(Int.random(in: 0...5, using: &random))s"}"#
            case 2:
                step += #","action_key":"student.level","retry":{"max_attempts":2,"delay":"1s"}"#
                step += #","idempotent":\#(Bool.random(using: &random))"#
            default:
                step += #","action_key":"http.request","input":{"method":"POST","url":"https://x.org"}"#
                step += #","retry":{"max_attempts":2,"delay":"1s"},"idempotent":\#(Bool.random(using: &random))"#
            }
            if Bool.random(using: &random) {
                let needs = (0..<number).filter { _ in Bool.random(using: &random) }.map { #""\#(prefix)\#($0)""# }
                step += #","needs":[\#(needs.joined(separator: ","))]"#
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                let items = (0..<Int.random(in: 0...4, using: &random)).map { "\($0)" }.joined(separator: ",")
                let concurrency = Int.random(in: 1...3, using: &random)
                step += #","for_each":{"items":[\#(items)],"concurrency":\#(concurrency)}"#
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: step += #","on_error":"continue""#
            case 1 where mayBranch: step += #","on_error":{"branch":"out"}"#
            default: break
            }
            return step + "}"
        }
        .joined(separator: ",")
    }

    // MARK: Driving

    private static func drive(_ automation: CompiledAutomation, _ random: inout SeededGenerator) throws {
        let signal = try Fixtures.signal()
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: now)
        var underWay: Set<Int> = []
        var next = machine.resumed(at: now, mayAttempt: Bool.random(using: &random))
        var turns = 0
        while next != .end {
            turns += 1
            try #require(turns < 1_000, "the run does not end: \(machine.record.steps)")
            if case .attempts(let positions) = next {
                #expect(underWay.isDisjoint(with: positions))
                underWay.formUnion(positions)
            } else {
                #expect(underWay.isEmpty)
            }
            try check(machine, automation, underWay)
            next = go(&machine, &underWay, next, &random)
        }
        #expect(underWay.isEmpty)
        #expect(machine.record.status.isFinal)
        #expect(machine.record.steps.allSatisfy { $0.status.isFinal && $0.finishedAt != nil })
        #expect(machine.record.steps.allSatisfy { !$0.awaits && !$0.isSent })
        let failing = machine.record.failing(in: nil, of: automation)
        #expect(failing != nil || machine.record.status == .succeeded)
    }

    /// Lets one thing happen: an attempt ends, time passes, a person decides, or the engine crashes and another goes on.
    private static func go(
        _ machine: inout RunMachine,
        _ underWay: inout Set<Int>,
        _ next: RunMachine.Next,
        _ random: inout SeededGenerator
    ) -> RunMachine.Next {
        let mayAttempt = Int.random(in: 0..<5, using: &random) > 0
        if Int.random(in: 0..<8, using: &random) == 0 {
            // What is in the rows is all that the next one has.
            machine = RunMachine(machine.automation, signal: machine.signal, stored: machine.record)
            underWay = []
            return machine.resumed(at: now, mayAttempt: mayAttempt)
        }
        switch next {
        case .attempts:
            guard let position = underWay.sorted().randomElement(using: &random) else {
                machine.elapse(machine.nextWait ?? .zero)
                return machine.timePassed(at: now, mayAttempt: mayAttempt)
            }
            underWay.remove(position)
            machine.elapse(.milliseconds(Int.random(in: 0...3_000, using: &random)))
            let isRemote = machine.definition(at: position).action.key == "student.level"
            let end = outcome(&random, mayBeSent: isRemote)
            return machine.attemptEnded(position, end, at: now, chance: 0, mayAttempt: mayAttempt)
        case .wait(let duration):
            machine.elapse(answer(&machine, &random) ? .zero : duration)
        case .park:
            guard !answer(&machine, &random) else { break }
            for position in machine.record.steps.indices where machine.record.steps[position].status == .unknown {
                let happened = Bool.random(using: &random)
                machine.update(position) { step in
                    step.status = happened ? .succeeded : .queued
                    step.finishedAt = happened ? now : nil
                }
            }
        case .queue, .end:
            break
        }
        return machine.resumed(at: now, mayAttempt: mayAttempt)
    }

    /// Lets the answers of services come, also for attempts that were given up.
    private static func answer(_ machine: inout RunMachine, _ random: inout SeededGenerator) -> Bool {
        var hasCome = false
        for position in machine.record.steps.indices where Bool.random(using: &random) {
            let step = machine.record.steps[position]
            guard step.isSent || step.status == .unknown && step.actionKey == "student.level" else { continue }
            let failed = #"{"status":"failed","error":{"code":"x","detail":"d"},"retryable":true}"#
            let answer = Bool.random(using: &random) ? #"{"status":"succeeded","output":1}"# : failed
            machine.record.steps[position].arrival = Array(answer.utf8)
            hasCome = true
        }
        return hasCome
    }

    private static func outcome(_ random: inout SeededGenerator, mayBeSent: Bool) -> AttemptOutcome {
        let error = StepError(code: "x", detail: "It failed.")
        if mayBeSent, Int.random(in: 0..<3, using: &random) > 0 { return .sent(within: .seconds(10)) }
        return switch Int.random(in: 0..<6, using: &random) {
        case 0: .failed(AttemptOutcome.Failure(error: error, isRetryable: true))
        case 1: .failed(AttemptOutcome.Failure(error: error, isRetryable: false))
        case 2: .unknown(error)
        case 3: .notMade(error)
        default: .succeeded(output: Array("{}".utf8))
        }
    }

    /// What holds at every moment.
    private static func check(_ machine: RunMachine, _ automation: CompiledAutomation, _ underWay: Set<Int>) throws {
        let steps = machine.record.steps
        #expect(Set(steps.indices.filter { steps[$0].isUnderWay }) == underWay)
        #expect(underWay.count <= RunMachine.maximumAttempts)
        for (position, step) in automation.steps.enumerated() where steps[position].attempt > 0 {
            // Whatever it needs has ended before it began.
            #expect(step.needs.allSatisfy { steps[$0].status.isFinal })
            if step.branch != nil {
                #expect(
                    automation.steps.indices.allSatisfy {
                        automation.steps[$0].branch != nil || steps[$0].status.isFinal
                    }
                )
            }
        }
        for (position, step) in automation.steps.enumerated() {
            guard let forEach = step.forEach else { continue }
            let inHand = steps.count {
                $0.parent == position && [.running, .waiting, .unknown].contains($0.status)
            }
            #expect(inHand <= forEach.concurrency)
        }
    }
}
