import Dispatch
import FoundationEssentials
import Glibc
import JSON
import MerkleLog
import Synchronization

/// Every checkpoint of a log that a process has signed or seen, kept in files outside of the database.
///
/// It is what lets a signer notice that the database was restored to an earlier state: what was signed once stands here. A
/// line is durable when ``append(_:)`` returns. Files are `<origin>.<number>.checkpoints`, the newest of the greatest
/// number; older ones may be taken away by the operator. A line that a crash has cut off is dropped when the journal is
/// opened. One process at a time keeps a journal.
package final class CheckpointJournal: Sendable {
    /// A file is followed by a new one once it is larger than this, in bytes.
    static let fileSize = 16 << 20
    /// No line is longer.
    private static let maximumLine = 128 * 1_024

    private struct State {
        var descriptor: Int32
        var length: Int
        var number: Int
        var newest: SignedCheckpoint?
    }

    /// Makes a file's content durable, as `fdatasync` does: 0 when it is.
    typealias Synchronize = @Sendable (Int32) -> Int32

    private let directory: String
    private let origin: String
    private let lock: Int32
    /// Held while a line is written and made durable, and by nobody who only wants to know what is.
    private let state: Mutex<State>
    private let durable: Mutex<SignedCheckpoint?>
    private let synchronize: Synchronize
    /// Writes one after the other, away from the threads that tasks run on.
    private let queue = DispatchQueue(label: "batuta.checkpoints")

    /// The newest checkpoint in the journal that is durable; whoever asks never waits for the disk.
    package var newest: SignedCheckpoint? { durable.withLock { $0 } }

    /// Opens the journal of a log, or begins it; the folder is made where it is missing.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - origin: The log's name.
    /// - Throws: ``CheckpointError`` with a sentence that says what to do.
    package convenience init(directory: String, origin: String) throws(CheckpointError) {
        try self.init(directory: directory, origin: origin) { fdatasync($0) }
    }

    init(directory: String, origin: String, synchronize: @escaping Synchronize) throws(CheckpointError) {
        self.directory = directory
        self.origin = origin
        self.synchronize = synchronize
        if mkdir(directory, 0o700) != 0 && errno != EEXIST {
            throw Self.failure("the folder \(directory) cannot be made")
        }
        lock = try Self.lock(directory)
        do throws(CheckpointError) {
            let number = try Self.newestNumber(in: directory, origin) ?? 1
            let opened = try Self.open(directory, origin, number)
            state = Mutex(opened)
            durable = Mutex(opened.newest)
        } catch {
            close(lock)
            throw error
        }
    }

    deinit {
        state.withLock { _ = close($0.descriptor) }
        close(lock)
    }

    /// Appends a checkpoint and makes it durable.
    ///
    /// The caller has verified that it is consistent with ``newest``; what contradicts that openly is refused here, too. The
    /// same checkpoint again is no change.
    ///
    /// - Throws: ``CheckpointError``: `contradiction`, or `journal` where the disk does not take it.
    package func append(_ checkpoint: SignedCheckpoint) async throws(CheckpointError) {
        let result: Result<Void, CheckpointError> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result { () throws(CheckpointError) in try self.write(checkpoint) })
            }
        }
        try result.get()
    }

    private func write(_ signed: SignedCheckpoint) throws(CheckpointError) {
        guard signed.checkpoint.origin == origin else {
            throw CheckpointError(.contradiction, "a checkpoint of another log is not kept")
        }
        let result = state.withLock { state in
            Result { () throws(CheckpointError) in
                try Self.requireSequel(signed.checkpoint, to: state.newest?.checkpoint)
                guard signed != state.newest else {
                    return
                }
                if state.length > Self.fileSize {
                    let next = try Self.open(directory, origin, state.number + 1)
                    close(state.descriptor)
                    state.descriptor = next.descriptor
                    state.length = next.length
                    state.number = next.number
                }
                let line = Self.line(signed)
                try write(line, to: state.descriptor, at: state.length)
                state.length += line.count
                state.newest = signed
                durable.withLock { $0 = signed }
            }
        }
        try result.get()
    }

    private static func requireSequel(_ next: Checkpoint, to newest: Checkpoint?) throws(CheckpointError) {
        guard let newest else {
            return
        }
        guard next.size >= newest.size else {
            throw CheckpointError(
                .contradiction,
                "the log was signed with \(newest.size) entries before, and now has \(next.size)"
            )
        }
        guard next.size > newest.size || next.root == newest.root else {
            throw CheckpointError(
                .contradiction,
                "\(next.size) entries of the log were signed with another root before"
            )
        }
    }
}

// MARK: - Files

extension CheckpointJournal {
    private static func failure(_ what: String) -> CheckpointError {
        CheckpointError(.journal, "\(what): \(String(cString: strerror(errno)))")
    }

    private static func lock(_ directory: String) throws(CheckpointError) -> Int32 {
        let descriptor = Glibc.open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw failure("the folder \(directory) cannot be written to")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CheckpointError(
                .inUse,
                "another process keeps its checkpoints in \(directory); every replica needs a folder of its own"
            )
        }
        return descriptor
    }

    /// The origin as a name of a file: every byte but letters, digits, `-`, `_` and `.` as `%` and two hex digits.
    static func fileName(_ origin: String, _ number: Int) -> String {
        var name = ""
        for byte in origin.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                name.append(Character(Unicode.Scalar(byte)))
            default:
                name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        let digits = String(number)
        return "\(name).\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).checkpoints"
    }

    private static func newestNumber(in directory: String, _ origin: String) throws(CheckpointError) -> Int? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw failure("the folder \(directory) cannot be read")
        }
        let numbers = names.compactMap { name -> Int? in
            let parts = name.split(separator: ".")
            guard parts.count >= 3, let number = Int(parts[parts.count - 2]), fileName(origin, number) == name else {
                return nil
            }
            return number
        }
        return numbers.max()
    }

    /// Opens a file, drops a line that was cut off, and reads the last one.
    private static func open(_ directory: String, _ origin: String, _ number: Int) throws(CheckpointError) -> State {
        let path = "\(directory)/\(fileName(origin, number))"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw failure("\(path) cannot be opened")
        }
        do throws(CheckpointError) {
            let size = Int(lseek(descriptor, 0, SEEK_END))
            guard size >= 0, syncFolder(directory) else {
                throw failure("\(path) cannot be read")
            }
            let tail = try read(descriptor, from: max(0, size - maximumLine), to: size, path)
            guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else {
                guard tail.count == size else {
                    throw damaged(path)
                }
                try cut(descriptor, to: 0, of: size, path)
                let newest = try before(directory, origin, number)
                return State(descriptor: descriptor, length: 0, number: number, newest: newest)
            }
            let length = size - (tail.count - end - 1)
            try cut(descriptor, to: length, of: size, path)
            let start = tail[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            guard start > 0 || tail.count == size, let newest = checkpoint(Array(tail[start..<end])),
                newest.checkpoint.origin == origin
            else {
                throw damaged(path)
            }
            return State(descriptor: descriptor, length: length, number: number, newest: newest)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The newest checkpoint of the file before a new one.
    private static func before(
        _ directory: String,
        _ origin: String,
        _ number: Int
    ) throws(CheckpointError) -> SignedCheckpoint? {
        guard number > 1, access("\(directory)/\(fileName(origin, number - 1))", F_OK) == 0 else {
            return nil
        }
        let state = try open(directory, origin, number - 1)
        close(state.descriptor)
        return state.newest
    }

    private static func damaged(_ path: String) -> CheckpointError {
        CheckpointError(
            .journal,
            "\(path) is damaged: its last line is no checkpoint. Put a copy back; if there is none, compare the log with a "
                + "checkpoint that somebody else has kept (`batuta audit verify --known`), and then move the file away"
        )
    }

    private static func cut(_ descriptor: Int32, to length: Int, of size: Int, _ path: String) throws(CheckpointError) {
        guard length < size else {
            return
        }
        guard ftruncate(descriptor, off_t(length)) == 0, fdatasync(descriptor) == 0 else {
            throw failure("\(path) cannot be written")
        }
    }

    private static func read(
        _ descriptor: Int32,
        from: Int,
        to end: Int,
        _ path: String
    ) throws(CheckpointError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: end - from)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(from + done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw failure("\(path) cannot be read")
            }
            done += count
        }
        return bytes
    }

    /// Writes at a place, so that what a failed call has left there is written over.
    private func write(_ bytes: [UInt8], to descriptor: Int32, at place: Int) throws(CheckpointError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(place + done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let reason = Self.failure("no checkpoint can be written in \(directory)")
                _ = ftruncate(descriptor, off_t(place))
                throw reason
            }
            done += count
        }
        guard synchronize(descriptor) == 0 else {
            let reason = Self.failure("no checkpoint can be made durable in \(directory)")
            _ = ftruncate(descriptor, off_t(place))
            throw reason
        }
    }

    private static func syncFolder(_ directory: String) -> Bool {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return false
        }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}

// MARK: - Lines

extension CheckpointJournal {
    /// `{"note":"…"}` and LF.
    static func line(_ signed: SignedCheckpoint) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("note", String(decoding: signed.note.bytes, as: UTF8.self))
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    static func checkpoint(_ line: [UInt8]) -> SignedCheckpoint? {
        guard let root = try? JSONDocument(parsing: line).root, let note = root["note"]?.stringValue,
            let parsed = try? SignedNote(parsing: Array(note.utf8))
        else {
            return nil
        }
        return try? SignedCheckpoint(note: parsed)
    }
}
