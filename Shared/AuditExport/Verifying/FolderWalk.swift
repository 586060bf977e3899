import Glibc

/// Finds everything below a directory that is no directory, whatever it is called and however deep it lies.
struct FolderWalk {
    /// Something that was found.
    enum Found {
        case file
        /// A link, a pipe, a socket, a device.
        case irregular
        /// A directory that lies deeper than any file of an export, and was not looked into.
        case tooDeep
    }

    /// The most levels of directories that are looked into; an export of the largest log has 11.
    static let maximumDepth = 64

    private let found: (_ path: [UInt8], _ kind: Found) -> Void

    /// Walks a directory, in no particular order, and hands over each path from there on, the bytes as they are.
    static func walk(
        _ descriptor: Int32,
        found: (_ path: [UInt8], _ kind: Found) -> Void
    ) throws(ExportError) {
        let outcome = withoutActuallyEscaping(found) { found in
            Result { () throws(ExportError) in
                // A second way to the directory, which reading it may move and close.
                let root = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                try FolderWalk(found: found).walk(root, path: [], depth: 1)
            }
        }
        try outcome.get()
    }

    private init(found: @escaping (_ path: [UInt8], _ kind: Found) -> Void) { self.found = found }

    private func walk(_ descriptor: Int32, path: [UInt8], depth: Int) throws(ExportError) {
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        guard let directory = fdopendir(descriptor) else {
            let error = Self.unreadable(path)
            close(descriptor)
            throw error
        }
        defer { closedir(directory) }
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw Self.unreadable(path) }
                return
            }
            guard !entry.isDots else { continue }
            let name = entry.name
            let inner = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            switch try Self.kind(of: name, in: descriptor, path: inner, type: Int(entry.pointee.d_type)) {
            case S_IFREG: found(inner, .file)
            case S_IFDIR where depth >= Self.maximumDepth: found(inner, .tooDeep)
            case S_IFDIR:
                let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
                let child = Self.withName(name) { openat(descriptor, $0, flags) }
                try walk(child, path: inner, depth: depth + 1)
            default: found(inner, .irregular)
            }
        }
    }

    /// What a name stands for, as the file type of a mode; the file system may have said so already.
    private static func kind(
        of name: [UInt8],
        in descriptor: Int32,
        path: [UInt8],
        type: Int
    ) throws(ExportError) -> mode_t {
        switch type {
        case Int(DT_REG): return S_IFREG
        case Int(DT_DIR): return S_IFDIR
        case Int(DT_UNKNOWN): break
        default: return S_IFIFO
        }
        var status = stat()
        guard withName(name, { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            throw unreadable(path)
        }
        return status.st_mode & S_IFMT
    }

    private static func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("The buffer has a byte at least.") }
            return body(start)
        }
    }

    private static func unreadable(_ path: [UInt8]) -> ExportError {
        .system("The directory \(path.isEmpty ? "." : String(decoding: path, as: UTF8.self)) cannot be read")
    }
}
