import Glibc

/// A file that is read line by line, of which only one line at a time is kept.
final class LineFile {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    private static let chunk = 1 << 16

    /// A line of a file.
    enum Line {
        /// The bytes without the line feed, which the last line need not have.
        case bytes([UInt8])
        case tooLong
    }

    /// Opens a regular file.
    init(_ path: String) throws(ExportError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("\(path) cannot be opened") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("\(path) cannot be read") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ExportError(.usage, "\(path) is neither a directory nor a regular file.")
        }
    }

    deinit { close(descriptor) }

    /// The next line; nil at the end.
    func next(maximumSize: Int) throws(ExportError) -> Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return end - start > maximumSize ? .tooLong : .bytes(Array(buffer[start..<end]))
            }
            searched = buffer.count
            guard buffer.count - start <= maximumSize else { return .tooLong }
            guard !isAtEnd else {
                defer { start = buffer.count }
                return start < buffer.count ? .bytes(Array(buffer[start...])) : nil
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            try fill()
        }
    }

    private func fill() throws(ExportError) {
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunk) { chunk, count in
            repeat {
                count = Glibc.read(descriptor, chunk.baseAddress, Self.chunk)
            } while count < 0 && errno == EINTR
            isAtEnd = count <= 0
            isBroken = count < 0
            count = max(count, 0)
        }
        guard !isBroken else { throw .system("\(path) cannot be read") }
        buffer.append(contentsOf: bytes)
    }

    private var isBroken = false
}
