import Glibc

/// Finds everything below a directory that is no directory, whatever it is called and however deep it lies.
enum FolderWalk {
    /// Something that was found.
    enum Found {
        case file
        /// A link, a pipe, a socket, a device.
        case irregular
        /// A directory that cannot be read, or lies deeper than is looked.
        case unreadable
    }

    /// The most levels of directories that are looked into, each of which is open meanwhile; the largest export has 11.
    static let maximumDepth = 128

    /// Walks a directory, in no particular order, and hands over each path from there on, the bytes as they are.
    static func walk(_ descriptor: Int32, found: (_ path: [UInt8], _ kind: Found) -> Void) {
        // A second way to the directory, which reading it may move and close.
        walk(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path: [], depth: 1, found)
    }

    private static func walk(
        _ descriptor: Int32,
        path: [UInt8],
        depth: Int,
        _ found: (_ path: [UInt8], _ kind: Found) -> Void
    ) {
        guard descriptor >= 0 else { return found(path, .unreadable) }
        guard let directory = fdopendir(descriptor) else {
            close(descriptor)
            return found(path, .unreadable)
        }
        defer { closedir(directory) }
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                if errno != 0 { found(path, .unreadable) }
                return
            }
            guard !entry.isDots else { continue }
            let name = entry.name
            let inner = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            switch kind(of: name, in: descriptor, type: Int(entry.pointee.d_type)) {
            case S_IFREG: found(inner, .file)
            case S_IFDIR where depth >= maximumDepth: found(inner, .unreadable)
            case S_IFDIR:
                let child = withName(name) { openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
                walk(child, path: inner, depth: depth + 1, found)
            default: found(inner, .irregular)
            }
        }
    }

    /// What a name stands for, as the file type of a mode; the file system may have said so already.
    private static func kind(of name: [UInt8], in descriptor: Int32, type: Int) -> mode_t {
        switch type {
        case Int(DT_REG): return S_IFREG
        case Int(DT_DIR): return S_IFDIR
        case Int(DT_UNKNOWN): break
        default: return S_IFIFO
        }
        var status = stat()
        let isKnown = withName(name) { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) } == 0
        return isKnown ? status.st_mode & S_IFMT : S_IFIFO
    }

    private static func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("The buffer has a byte at least.") }
            return body(start)
        }
    }
}
