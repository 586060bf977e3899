import Foundation
import Testing

@testable import CommandLineCore

@Suite struct ProcessTimesTests {
    private static func entry(
        parent: Int32,
        _ user: Int,
        _ system: Int,
        _ childUser: Int,
        _ childSystem: Int
    ) throws
        -> ProcessTimes.Entry
    {
        let line =
            "7 (a) b (c) S \(parent) 7 7 0 -1 4194560 1 2 3 4 \(user) \(system) \(childUser) \(childSystem) 20 0 1 0\n"
        return try #require(ProcessTimes.Entry(stat: line))
    }

    @Test func readsALineWhoseNameHoldsBrackets() throws {
        let entry = try Self.entry(parent: 12, 100, 20, 3, 4)
        #expect(entry.parent == 12)
        #expect(entry.ticks == 127)
    }

    @Test(arguments: ["", "7", "7 (a)", "7 (a) S x 7 7", "7 (a) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7"])
    func refusesALineThatIsCutOff(line: String) {
        #expect(ProcessTimes.Entry(stat: line) == nil)
    }

    @Test func addsUpATreeAndNothingElse() throws {
        let times = ProcessTimes([
            10: try Self.entry(parent: 1, 1, 0, 0, 0),
            11: try Self.entry(parent: 10, 2, 0, 0, 0),
            12: try Self.entry(parent: 11, 4, 0, 0, 0),
            20: try Self.entry(parent: 1, 8, 0, 0, 0),
        ])
        #expect(times.ticks(of: 10) == 7)
        #expect(times.ticks(of: 11) == 6)
        #expect(times.ticks(of: 20) == 8)
        #expect(times.ticks(of: 99) == nil)
        #expect(times.members(of: 10).sorted() == [10, 11, 12])
        #expect(times.members(of: 20) == [20])
        #expect(times.members(of: 99).isEmpty)
    }

    @Test func aProcessThatIsGoneIsAnError() throws {
        let before = ProcessTimes([10: try Self.entry(parent: 1, 1, 0, 0, 0)])
        let tree = try #require(ProcessTree(argument: "it=10"))
        #expect(throws: CommandLineError.self) { try ProcessTimes([:]).seconds(since: before, of: [tree]) }
    }

    @Test func seesTheTimeThatThisProcessSpends() throws {
        let tree = try #require(ProcessTree(argument: "tests=\(ProcessInfo.processInfo.processIdentifier)"))
        let before = ProcessTimes.now()
        let deadline = ContinuousClock.now + .seconds(30)
        var seconds = 0.0
        var noise = 0
        while seconds < 0.05, ContinuousClock.now < deadline {
            for number in 0..<200_000 { noise ^= number &* 31 }
            seconds = try ProcessTimes.now().seconds(since: before, of: [tree]).first?.1 ?? 0
        }
        #expect(seconds >= 0.05, "\(noise)")
    }
}
