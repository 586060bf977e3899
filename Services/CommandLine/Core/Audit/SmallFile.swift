import Glibc

/// Files that are read whole because they are small, such as keys and checkpoints.
enum SmallFile {
    /// Reads a file, or what comes out of a pipe, up to some number of bytes; what comes after them is left.
    static func read(_ path: String, atMost limit: Int) throws(CommandLineError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw unreadable(path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count < limit {
            let count = Glibc.read(file, &chunk, min(chunk.count, limit - bytes.count))
            guard count >= 0 || errno == EINTR else { throw unreadable(path) }
            guard count != 0 else { break }
            bytes += chunk.prefix(max(count, 0))
        }
        return bytes
    }

    private static func unreadable(_ path: String) -> CommandLineError {
        CommandLineError(.file, "\(path) cannot be read: \(String(cString: strerror(errno))).")
    }
}
