import Glibc
import Testing

@testable import ServiceRuntime

@Suite struct LogSinkTests {
    /// The two ends of a pipe.
    private func makePipe(flags: Int32 = 0) throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        let result = pipe(&ends)
        try #require(result == 0)
        _ = fcntl(ends[1], F_SETFL, flags)
        return (ends[0], ends[1])
    }

    @Test func concurrentLinesDoNotMix() async throws {
        let (reading, writing) = try makePipe()
        let sink = DescriptorLogSink(descriptor: writing)
        // Longer than what a pipe takes at once, so that a line takes several system calls.
        let length = 150_000
        let bytes = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for letter in UInt8(ascii: "a")...UInt8(ascii: "d") {
                group.addTask {
                    try await blocking { sink.write([UInt8](repeating: letter, count: length) + [0x0A]) }
                    return []
                }
            }
            group.addTask { try await blocking { Self.read(4 * (length + 1), from: reading) } }
            return try await group.reduce([], +)
        }
        let lines = bytes.split(separator: 0x0A)
        #expect(lines.map(\.count) == [length, length, length, length])
        #expect(lines.allSatisfy { line in line.allSatisfy { $0 == line.first } })
        #expect(sink.droppedLines == 0)
        close(reading)
        close(writing)
    }

    @Test func aReaderThatDoesNotReadCostsTheLineOnly() throws {
        let (reading, writing) = try makePipe(flags: O_NONBLOCK)
        let sink = DescriptorLogSink(descriptor: writing)
        sink.write([UInt8](repeating: 0x61, count: 1 << 21))
        #expect(sink.droppedLines == 1)
        close(reading)
        close(writing)
        // Nobody can open a descriptor of this number.
        let gone = DescriptorLogSink(descriptor: -1)
        gone.write([0x61])
        #expect(gone.droppedLines == 1)
    }

    private static func read(_ count: Int, from descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let read = Glibc.read(descriptor, &buffer, buffer.count)
            guard read > 0 else { break }
            bytes.append(contentsOf: buffer[..<read])
        }
        return bytes
    }
}
