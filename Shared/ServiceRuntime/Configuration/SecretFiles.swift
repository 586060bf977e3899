import Glibc

/// Reads the files that `_FILE` variables name.
package struct SecretFiles: Sendable {
    /// The most bytes that a secret may have.
    package static let greatestSize = 65_536

    /// Makes a reader of the local file system.
    package init() {}

    /// The text of a file without the newline at its end.
    ///
    /// - Parameter path: Where the file is.
    /// - Returns: The text, which is not empty.
    /// - Throws: ``InvalidValue`` with a phrase that says why the file cannot be used.
    package func read(_ path: String) throws(InvalidValue) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InvalidValue("cannot be opened (\(Self.reason(errno)))") }
        defer { close(descriptor) }
        var bytes = try bytes(of: descriptor)
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw InvalidValue("is empty") }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw InvalidValue("holds no text")
        }
        return text
    }

    private func bytes(of descriptor: Int32) throws(InvalidValue) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= Self.greatestSize {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw InvalidValue("cannot be read (\(Self.reason(errno)))") }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
        throw InvalidValue("is longer than \(Self.greatestSize) bytes")
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
