import Glibc

/// Where a command writes: what it was asked for to standard output, everything about it to standard error.
enum StandardStream: Int32 {
    case output = 1
    case error = 2

    /// Writes a line.
    func writeLine(_ line: String) {
        write(Array("\(line)\n".utf8))
    }

    /// Writes bytes, all of them.
    ///
    /// The command ends when nobody reads its output any more, as `batuta … | head` does: with the code that a shell
    /// gives to what SIGPIPE has ended, which the HTTP client of this process ignores.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EPIPE && self == .output {
                exit(128 + SIGPIPE)
            } else if errno != EINTR {
                return
            }
        }
    }
}
