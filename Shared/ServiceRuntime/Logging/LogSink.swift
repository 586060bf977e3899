import Glibc
import Synchronization

/// Where finished log lines go.
package protocol LogSink: Sendable {
    /// Takes one line, its newline included; never fails.
    func write(_ line: [UInt8])
}

/// Writes whole lines to a file descriptor, standard error by default.
///
/// The lock is held for the system call alone and keeps lines from mixing. A reader that is gone costs the line; one
/// that does not read from a non-blocking pipe costs it after a tenth of a second.
package final class DescriptorLogSink: LogSink {
    private let descriptor: Mutex<Int32>
    private let dropped = Atomic<Int>(0)

    /// Makes a sink; the descriptor stays the caller's.
    package init(descriptor: Int32 = STDERR_FILENO) {
        self.descriptor = Mutex(descriptor)
    }

    /// How many lines could not be written whole.
    package var droppedLines: Int { dropped.load(ordering: .relaxed) }

    package func write(_ line: [UInt8]) {
        let isWritten = descriptor.withLock { descriptor in
            line.withUnsafeBytes { Self.writeAll($0, to: descriptor) }
        }
        if !isWritten { dropped.wrappingAdd(1, ordering: .relaxed) }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, part.baseAddress, part.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&waiting, 1, 100) > 0 else { return false }
            default:
                return false
            }
        }
        return true
    }
}
