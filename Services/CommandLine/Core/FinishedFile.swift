import Foundation
import Glibc
import Secrets

/// A new file that has its name only when it is complete and on the disk; readable to its owner only.
///
/// Until then it lies beside its place under another name, and is removed unless it was finished.
final class FinishedFile {
    private let path: String
    private var temporary: String
    private let descriptor: Int32

    /// Begins a file.
    ///
    /// - Throws: `CommandLineError` where there is one already, or none can be made.
    init(_ path: String) throws(CommandLineError) {
        self.path = path
        guard access(path, F_OK) != 0 else {
            throw Self.refusal(path, EEXIST)
        }
        var name = Array("\(path).XXXXXX".utf8CString)
        descriptor = mkstemp(&name)
        let reason = errno
        temporary = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else {
            throw Self.refusal(path, reason)
        }
    }

    deinit {
        close(descriptor)
        if !temporary.isEmpty {
            unlink(temporary)
        }
    }

    /// Adds bytes.
    func write(_ bytes: ArraySlice<UInt8>) throws(CommandLineError) {
        guard bytes.withUnsafeBytes(add) else { throw unwritten() }
    }

    /// Adds what a secret holds, of which no copy is made.
    func write(_ secret: Secret) throws(CommandLineError) {
        guard secret.withUnsafeBytes(add) else { throw unwritten() }
    }

    /// Adds bytes; false where the system refuses some of them.
    private func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            guard written >= 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(written, 0))
        }
        return true
    }

    /// Brings the file to the disk, and gives it its name.
    func finish() throws(CommandLineError) {
        guard fsync(descriptor) == 0 else { throw unwritten() }
        // Unlike a new name by itself, a link takes no other file's place.
        guard link(temporary, path) == 0 else {
            throw Self.refusal(path, errno)
        }
        unlink(temporary)
        temporary = ""
        let folder = open(
            URL(fileURLWithPath: path).deletingLastPathComponent().path,
            O_RDONLY | O_DIRECTORY | O_CLOEXEC
        )
        guard folder >= 0 else { throw unwritten() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw unwritten() }
    }

    private func unwritten() -> CommandLineError {
        CommandLineError(.file, "\(path) cannot be written: \(String(cString: strerror(errno))).")
    }

    private static func refusal(_ path: String, _ reason: Int32) -> CommandLineError {
        let text = reason == EEXIST ? "it exists already, and is left as it is" : String(cString: strerror(reason))
        return CommandLineError(.file, "\(path) cannot be made: \(text).")
    }
}
