import Foundation
import MerkleLog
import Synchronization
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointJournalTests {
    private static let origin = "example.com/audit"
    private let signer: NoteSigner
    private let folder = Command.temporaryURL("checkpoints").path

    init() throws {
        signer = try NoteSigner.generate(name: Self.origin, kind: .log)
    }

    @Test("what was kept is there after a restart, the newest first to be asked for")
    func survivesARestart() async throws {
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            #expect(journal.newest == nil)
            for size in [1, 5, 5, 9] { try await journal.append(checkpoint(UInt64(size))) }
        }
        let journal = try await reopened()
        #expect(journal.newest?.checkpoint.size == 9)
        #expect(try lines().count == 3, "The same checkpoint again is no new line.")
    }

    @Test("the same log signed again at a later time is kept beside the first")
    func anIdleLogIsKept() async throws {
        let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
        try await journal.append(checkpoint(5, time: 1))
        try await journal.append(checkpoint(5, time: 2))
        #expect(try lines().count == 2)
    }

    @Test("a smaller log, and another root of the same size, are refused and leave nothing")
    func contradictionsAreRefused() async throws {
        let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
        try await journal.append(checkpoint(5))
        for bad in [try checkpoint(4), try checkpoint(5, seed: 7)] {
            let error = await #expect(throws: CheckpointError.self) { try await journal.append(bad) }
            #expect(error?.code == .contradiction)
        }
        #expect(try lines().count == 1)
    }

    @Test("a line that a crash has cut off is dropped, wherever it was cut")
    func aTornLineIsDropped() async throws {
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            try await journal.append(checkpoint(3))
        }
        let whole = try Data(contentsOf: file(1))
        let next = CheckpointJournal.line(try checkpoint(8))
        for length in stride(from: 0, to: next.count, by: 37) {
            try (whole + Data(next[..<length])).write(to: file(1))
            let journal = try await reopened()
            #expect(journal.newest?.checkpoint.size == 3)
            #expect(try Data(contentsOf: file(1)) == whole)
        }
    }

    @Test("a journal whose last line is no checkpoint of the log is not gone on with")
    func aDamagedJournalIsRefused() async throws {
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            try await journal.append(checkpoint(3))
        }
        let whole = try Data(contentsOf: file(1))
        for bad in ["{}\n", "garbage\n", String(repeating: "x", count: 200_000) + "\n"] {
            try (whole + Data(bad.utf8)).write(to: file(1))
            let error = await #expect(throws: CheckpointError.self) { try await reopened() }
            #expect(error?.code == .journal)
        }
    }

    @Test("a file that has grown is followed by another, from which the newest is found")
    func filesFollowEachOther() async throws {
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            try await journal.append(checkpoint(3))
        }
        let line = try Data(contentsOf: file(1))
        var large = Data()
        while large.count <= CheckpointJournal.fileSize { large += line }
        try large.write(to: file(1))
        do {
            let journal = try await reopened()
            try await journal.append(checkpoint(4))
        }
        #expect(try Data(contentsOf: file(1)) == large)
        // A crash right after the new file was made leaves it empty.
        try Data().write(to: file(3))
        #expect(try await reopened().newest?.checkpoint.size == 4)
    }

    @Test("a closed file that was moved to an archive is missed by nobody, and the newest is found all the same")
    func closedFilesMayBeMoved() async throws {
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            try await journal.append(checkpoint(3))
        }
        let line = try Data(contentsOf: file(1))
        for number in 1...2 {
            var large = Data()
            while large.count <= CheckpointJournal.fileSize { large += line }
            try large.write(to: file(number))
            try await reopened().append(checkpoint(UInt64(3 + number)))
            try FileManager.default.removeItem(at: file(number))
        }
        do {
            let journal = try await reopened()
            #expect(journal.newest?.checkpoint.size == 5)
            try await journal.append(checkpoint(6))
        }
        #expect(try await reopened().newest?.checkpoint.size == 6)
        #expect(!FileManager.default.fileExists(atPath: file(1).path))
        #expect(FileManager.default.fileExists(atPath: file(3).path))
    }

    @Test("whoever asks for the newest checkpoint does not wait for the disk, and hears of none that is not durable")
    func readersDoNotWait() async throws {
        let seen = Seen()
        let journal = try CheckpointJournal(directory: folder, origin: Self.origin) { _ in
            seen.look()
            return 0
        }
        seen.journal.withLock { $0 = journal }
        try await journal.append(checkpoint(3))
        try await journal.append(checkpoint(4))
        seen.journal.withLock { $0 = nil }
        #expect(seen.sizes.withLock { $0 } == [nil, 3], "Each write saw what was durable before it.")
        #expect(journal.newest?.checkpoint.size == 4)
    }

    /// Asks a journal for its newest checkpoint from another thread, while the disk is at work.
    private final class Seen: Sendable {
        let journal = Mutex<CheckpointJournal?>(nil)
        let sizes = Mutex<[UInt64?]>([])

        func look() {
            let asked = journal.withLock { $0 }
            let answered = DispatchSemaphore(value: 0)
            DispatchQueue.global().async {
                let size = asked?.newest?.checkpoint.size
                self.sizes.withLock { $0.append(size) }
                answered.signal()
            }
            // Long enough for any answer that does not wait for this very write.
            _ = answered.wait(timeout: .now() + 10)
        }
    }

    @Test("one process keeps a journal")
    func oneAtATime() throws {
        let first = try CheckpointJournal(directory: folder, origin: Self.origin)
        let error = #expect(throws: CheckpointError.self) {
            try CheckpointJournal(directory: folder, origin: Self.origin)
        }
        #expect(error?.code == .inUse)
        #expect(first.newest == nil)
    }

    @Test("logs of different names stand in files of their own")
    func logsAreApart() async throws {
        let other = "example.com/audit/2"
        do {
            let journal = try CheckpointJournal(directory: folder, origin: Self.origin)
            try await journal.append(checkpoint(3))
        }
        let journal = try await reopened(other)
        #expect(journal.newest == nil)
        let error = await #expect(throws: CheckpointError.self) { try await journal.append(checkpoint(3)) }
        #expect(error?.code == .contradiction)
    }

    /// The journal, opened again: what has kept it may give it up a moment after its last write.
    private func reopened(_ origin: String = origin) async throws -> CheckpointJournal {
        let opened = try await eventually("nobody keeps the journal") {
            Result { () throws(CheckpointError) in try CheckpointJournal(directory: folder, origin: origin) }
        } until: { opened in
            guard case .failure(let error) = opened else { return true }
            return error.code != .inUse
        }
        return try opened.get()
    }

    private func checkpoint(_ size: UInt64, seed: UInt8 = 0, time: UInt64 = 1) throws -> SignedCheckpoint {
        let root = MerkleHash.leaf([seed, UInt8(truncatingIfNeeded: size)])
        return try SignedCheckpoint(
            Checkpoint(origin: Self.origin, size: size, root: root),
            signedBy: [signer],
            at: time
        )
    }

    private func file(_ number: Int) -> URL {
        URL(fileURLWithPath: "\(folder)/\(CheckpointJournal.fileName(Self.origin, number))")
    }

    private func lines() throws -> [Substring] {
        try String(contentsOf: file(1), encoding: .utf8).split(separator: "\n")
    }
}
