import Glibc

/// The directory of an export, which whoever made it may have filled with anything.
///
/// Nothing is followed, nothing waited for, and nothing read that is larger than it can be.
final class ExportFolder: Sendable {
    /// The directory, open.
    let descriptor: Int32

    private let path: String

    /// What stands at a path.
    enum Content {
        case bytes([UInt8])
        /// There is nothing.
        case nothing
        /// There is a directory.
        case directory
        /// There is neither a regular file nor a directory.
        case irregular
        /// The file has another number of bytes than one of those that were allowed.
        case wrongSize(Int)
    }

    /// Opens a directory.
    init(_ path: String) throws(ExportError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { throw .system("\(path) cannot be opened") }
    }

    deinit { close(descriptor) }

    /// Reads a file whole, if it has an allowed number of bytes.
    func read(_ name: String, sizes: ClosedRange<Int>) throws(ExportError) -> Content {
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .nothing
            // A symbolic link, a socket, a device without a driver.
            case ELOOP, ENXIO, ENODEV: return .irregular
            default: throw .system("\(path)/\(name) cannot be opened")
            }
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system("\(path)/\(name) cannot be read") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return .directory
        default: return .irregular
        }
        let size = Int(status.st_size)
        guard sizes.contains(size) else { return .wrongSize(size) }
        return try read(file, named: name, size: size)
    }

    /// The number of bytes of a regular file; nil where there is none.
    func size(of name: String) throws(ExportError) -> Int? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system("\(path)/\(name) cannot be read") }
            return nil
        }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    private func read(_ file: Int32, named name: String, size: Int) throws(ExportError) -> Content {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if got > 0 {
                    count += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    failed = true
                    return
                }
            }
        }
        guard !failed else { throw .system("\(path)/\(name) cannot be read") }
        return bytes.count == size ? .bytes(bytes) : .wrongSize(bytes.count)
    }
}

extension ExportError {
    /// What the system refuses, with its reason; to be made before anything else may change it.
    static func system(_ what: String) -> ExportError {
        ExportError(.system, "\(what): \(String(cString: strerror(errno))).")
    }
}
