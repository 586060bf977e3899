import Glibc

/// The directory of an export, which whoever made it may have filled with anything.
///
/// Nothing is followed, nothing waited for, and nothing read that is larger than it can be.
final class ExportFolder: Sendable {
    /// The directory, open.
    let descriptor: Int32

    /// What stands at a path.
    enum Content {
        case bytes([UInt8])
        /// There is nothing.
        case nothing
        /// There is a directory.
        case directory
        /// There is neither a regular file nor a directory.
        case irregular
        /// The file has more or fewer bytes than it can have.
        case wrongSize
        /// The system refuses to read it, for this reason.
        case unreadable(String)
    }

    /// Opens a directory.
    init(_ path: String) throws(ExportError) {
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("\(path) cannot be opened") }
    }

    deinit { close(descriptor) }

    /// Reads a file whole, if it has an allowed number of bytes.
    func read(_ name: String, sizes: ClosedRange<Int>) -> Content {
        let file = open(name)
        guard file >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .nothing
            // A symbolic link, a socket, a device without a driver.
            case ELOOP, ENXIO, ENODEV: return .irregular
            default: return .unreadable
            }
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { return .unreadable }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return .directory
        default: return .irregular
        }
        let size = Int(status.st_size)
        return sizes.contains(size) ? Self.read(file, size: size) : .wrongSize
    }

    /// The number of bytes of a regular file; nil where there is none, or it cannot be opened.
    func size(of name: String) -> Int? {
        let file = open(name)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    private func open(_ name: String) -> Int32 {
        openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }

    private static func read(_ file: Int32, size: Int) -> Content {
        var failure: Content?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size, failure == nil {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if got > 0 {
                    count += got
                } else if got == 0 {
                    failure = .wrongSize
                } else if errno != EINTR {
                    failure = .unreadable
                }
            }
        }
        return failure ?? .bytes(bytes)
    }
}

extension ExportFolder.Content {
    /// What the system has just refused to read.
    fileprivate static var unreadable: Self { .unreadable(String(cString: strerror(errno))) }

    /// Why there are no bytes to read, as the end of a sentence; nil where there are.
    var refusal: String? {
        switch self {
        case .bytes: nil
        case .nothing: "it is not there"
        case .directory, .irregular: "it is no regular file"
        case .wrongSize: "it has not a number of bytes that it can have"
        case .unreadable(let reason): "it cannot be read: \(reason)"
        }
    }
}

extension ExportError {
    /// What the system refuses, with its reason; to be made before anything else may change it.
    static func system(_ what: String) -> ExportError {
        ExportError(.system, "\(what): \(String(cString: strerror(errno))).")
    }
}
