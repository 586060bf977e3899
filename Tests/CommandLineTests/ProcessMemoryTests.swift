import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CommandLineCore

@Suite struct ProcessMemoryTests {
    private static let rollup = """
        5650bd942000-7ffcbe7aa000 ---p 00000000 00:00 0                          [rollup]
        Rss:                1592 kB
        Pss:                 304 kB
        Shared_Clean:       1440 kB
        Shared_Dirty:          0 kB
        Private_Clean:        40 kB
        Private_Dirty:       112 kB
        SwapPss:               0 kB

        """

    @Test func readsTheKernelsText() throws {
        let memory = try #require(ProcessMemory(smapsRollup: Self.rollup))
        #expect(memory == ProcessMemory(privateBytes: 152 * 1_024, residentBytes: 1_592 * 1_024))
    }

    @Test(arguments: ["Rss:", "Private_Clean:", "Private_Dirty:"])
    func refusesATextThatLacksAMember(member: String) {
        #expect(ProcessMemory(smapsRollup: Self.rollup.replacing(member, with: "Other:")) == nil)
        #expect(ProcessMemory(smapsRollup: "") == nil)
    }

    @Test func theMaximumIsOfEachMember() {
        let one = ProcessMemory(privateBytes: 1, residentBytes: 20)
        let other = ProcessMemory(privateBytes: 2, residentBytes: 10)
        #expect(one.maximum(other) == ProcessMemory(privateBytes: 2, residentBytes: 20))
        #expect(one + other == ProcessMemory(privateBytes: 3, residentBytes: 30))
    }

    @Test func thePeakIsSeenAlthoughTheMemoryIsGivenBack() async throws {
        let tree = try #require(ProcessTree(argument: "tests=\(ProcessInfo.processInfo.processIdentifier)"))
        let readings = Readings()
        let watch = MemoryWatch(trees: [tree]) { readings.count.add(1, ordering: .relaxed) }
        let size = 256 << 20
        // Other tests of this process take memory and give it back meanwhile.
        for _ in 0..<10 {
            let before = try #require(try watch.now().first)
            #expect(before.privateBytes > 0)
            #expect(before.residentBytes >= before.privateBytes)
            let (byte, peak) = try await watch.peak {
                let space = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4_096)
                defer { space.deallocate() }
                space.initializeMemory(as: UInt8.self, repeating: 7)
                // The first of them may have begun before the memory was taken.
                let begun = readings.count.load(ordering: .relaxed)
                try await eventually("it is read twice") { readings.count.load(ordering: .relaxed) >= begun + 2 }
                return space[size - 1]
            }
            #expect(byte == 7)
            if try #require(peak.first).privateBytes >= before.privateBytes + Int64(size) / 2 {
                return
            }
        }
        Issue.record("the peak was never seen")
    }

    private final class Readings: Sendable {
        let count = Atomic(0)
    }

    @Test func aProcessThatIsGoneIsAnError() throws {
        let tree = try #require(ProcessTree(argument: "it=2147483647"))
        #expect(throws: CommandLineError.self) { try MemoryWatch(trees: [tree]).now() }
    }
}
