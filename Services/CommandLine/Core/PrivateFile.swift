import Glibc

/// New files that only their owner can read.
enum PrivateFile {
    /// Makes a file that does not exist yet, and makes its content durable.
    ///
    /// - Throws: ``CommandLineError``; then there is no file.
    static func make(_ path: String, content: [UInt8]) throws(CommandLineError) {
        try make(path) { descriptor in
            content.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) == $0.count }
        }
    }

    /// Makes a file whose content is written by a body that answers whether it could.
    static func make(_ path: String, writing: (Int32) -> Bool) throws(CommandLineError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == EEXIST ? "it exists already, and is left as it is" : String(cString: strerror(errno))
            throw CommandLineError(.file, "\(path) cannot be made: \(reason).")
        }
        defer { close(descriptor) }
        guard writing(descriptor), fsync(descriptor) == 0 else {
            unlink(path)
            throw CommandLineError(.file, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }
}
