import Glibc

/// The file that keys come from.
package enum KeyFile {
    static let maximumBytes = 65_536

    /// Reads a file that only its owner has rights to.
    ///
    /// - Parameter path: Where the file is; links are followed.
    /// - Returns: The whole text.
    /// - Throws: ``SecretsError`` with a sentence that does not name the path, which the caller knows by a better name.
    package static func read(_ path: String) throws(SecretsError) -> Secret {
        // Without O_NONBLOCK a pipe would be waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw SecretsError(.unreadableKeyFile, "The key file cannot be opened (\(reason(errno))).")
        }
        defer { close(descriptor) }
        try check(descriptor)
        return try Secret(capacity: maximumBytes + 1) { (buffer) throws(SecretsError) in
            let count = try fill(buffer, from: descriptor)
            guard count <= maximumBytes else { throw tooLarge }
            return count
        }
    }

    static var tooLarge: SecretsError {
        SecretsError(.keyFileTooLarge, "The key file has more than the \(maximumBytes) bytes allowed.")
    }

    private static func check(_ descriptor: Int32) throws(SecretsError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw SecretsError(.unreadableKeyFile, "The key file cannot be examined (\(reason(errno))).")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SecretsError(.notAFile, "The key file is not a regular file.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw SecretsError(
                .exposedKeyFile,
                "The key file gives rights to its group or to others; take them away with chmod 600."
            )
        }
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        from descriptor: Int32
    ) throws(SecretsError) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let more = Glibc.read(descriptor, rest.baseAddress, rest.count)
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else {
                throw SecretsError(.unreadableKeyFile, "The key file cannot be read (\(reason(errno))).")
            }
            guard more > 0 else { break }
            count += more
        }
        return count
    }

    private static func reason(_ number: Int32) -> String {
        switch number {
        case ENOENT: "no such file"
        case EACCES, EPERM: "permission denied"
        case EISDIR: "it is a folder"
        default: "error \(number)"
        }
    }
}
