import FaultInjection
import FaultSuite
import Foundation
import JSON
import TestSupport
import Testing

@Suite("A schedule of faults is drawn from a seed")
struct FaultScheduleTests {
    private static let everything = FaultSetting(isCluster: true, hasProxies: true, hasFakeClocks: true)
    private static let single = FaultSetting(isCluster: false, hasProxies: false, hasFakeClocks: false, isShort: true)

    @Test(arguments: FaultClass.allCases)
    func theSameSeedDrawsTheSameFaults(_ faultClass: FaultClass) {
        func draw(_ seed: UInt64) -> FaultSchedule {
            FaultSchedule(seed: seed, faultClass: faultClass, length: 40, setting: Self.everything)
        }
        #expect(draw(7) == draw(7))
        #expect(draw(7).entries != draw(8).entries)
        #expect(draw(7).entries.count == 40)
        #expect(draw(7).description.hasPrefix("seed 7, \(faultClass.rawValue): after "))
    }

    /// What a seed means must not change by accident: a seed that once found something is kept.
    @Test func aSeedKeepsItsMeaning() {
        let schedule = FaultSchedule(seed: 42, faultClass: .processes, length: 3, setting: Self.single)
        #expect(schedule.entries.map { "\($0.fault.name) \($0.fault.target)" } == Self.known)
    }

    private static let known = [
        "crash audit-writer-1 at after_checkpoint_is_kept:6", "kill api-gateway-1",
        "crash automation-engine-1 at during_takeover:1",
    ]

    @Test func everyFaultComesBeforeAnyComesAgain() {
        let schedule = FaultSchedule(seed: 1, faultClass: .processes, length: 17, setting: Self.everything)
        let kinds = schedule.entries.map { entry in
            entry.fault.target.replacing(/-\d/, with: "").replacing(/:\d+/, with: "") + entry.fault.name
        }
        #expect(Set(kinds).count == 17, "three services can be killed, and there are fourteen crash points")
    }

    @Test func everyCrashPointIsAmongTheFaults() {
        let schedule = FaultSchedule(seed: 1, faultClass: .processes, length: 17, setting: Self.everything)
        let points = schedule.entries.compactMap { entry -> CrashPoint? in
            guard case .crash(_, let point, _) = entry.fault else { return nil }
            return point
        }
        #expect(Set(points) == Set(CrashPoint.allCases))
    }

    @Test func whatNeedsMoreThanTheSettingHasIsNotDrawn() {
        #expect(Set(Self.everything.classes) == Set(FaultClass.allCases))
        #expect(!Self.single.classes.contains(.network))
        #expect(!Self.single.classes.contains(.clocks))
        for seed in 0..<50 {
            let schedule = FaultSchedule(seed: UInt64(seed), faultClass: .all, length: 40, setting: Self.single)
            for entry in schedule.entries {
                switch entry.fault {
                case .isolate, .flap, .moveLeaders, .rollNodes, .failOver, .failOverLate, .stopStandby, .latency,
                    .resets,
                    .loseAnswers, .slowReads, .jump:
                    Issue.record("\(entry) needs more than single servers")
                case .killNodes(let nodes), .restartNodes(let nodes):
                    #expect(nodes == [.number(1)])
                default:
                    #expect(entry.lasting <= .seconds(10), "\(entry) is not short")
                }
            }
        }
    }

    @Test func aRecordIsOneLineOfJSON() throws {
        let schedule = FaultSchedule(seed: .max, faultClass: .all, length: 20, setting: Self.everything)
        var record = FaultRecord(FaultRecord.Subject(commit: "abc", versions: ["postgres": "15"]), schedule)
        record.acknowledged = 12
        record.goodput = 3.14
        record.violations = ["a \"quoted\"\nviolation"]
        #expect(!record.line.contains("\n"))
        let value = try JSONValue(parsing: Array(record.line.utf8))
        #expect(value["seed"]?.stringValue == "18446744073709551615")
        #expect(value["class"]?.stringValue == "all")
        #expect(value["schedule"]?.arrayValue?.count == 20)
        #expect(value["acknowledged"]?.int64Value == 12)
        #expect(record.line.contains(#""goodput_per_s":3.1,"#))
        #expect(value["valid"]?.boolValue == false)
        #expect(value["violations"]?[0]?.stringValue == "a \"quoted\"\nviolation")
    }
}
