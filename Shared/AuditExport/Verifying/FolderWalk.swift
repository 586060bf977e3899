import Glibc

/// Finds everything below a directory that is no directory, whatever it is called and however deep it lies.
enum FolderWalk {
    /// Something that was found.
    enum Found {
        case file
        /// A link, a pipe, a socket, a device.
        case irregular
        /// A directory that cannot be read.
        case unreadable
    }

    /// Walks a directory, in no particular order, and hands over each path from there on, the bytes as they are.
    ///
    /// One directory is open at a time, so that only the length of a path limits how deep they may lie.
    static func walk(_ descriptor: Int32, found: (_ path: [UInt8], _ kind: Found) -> Void) {
        var pending: [[UInt8]] = [[]]
        while let path = pending.popLast() {
            guard let directory = open(path, below: descriptor) else {
                found(path, .unreadable)
                continue
            }
            defer { closedir(directory) }
            while let entry = next(directory) {
                guard !entry.isDots else { continue }
                let inner = path.isEmpty ? entry.name : path + [UInt8(ascii: "/")] + entry.name
                switch kind(of: entry, in: directory) {
                case S_IFREG: found(inner, .file)
                case S_IFDIR: pending.append(inner)
                default: found(inner, .irregular)
                }
            }
            if errno != 0 { found(path, .unreadable) }
        }
    }

    private static func open(_ path: [UInt8], below descriptor: Int32) -> OpaquePointer? {
        let name = path.isEmpty ? [CChar(bitPattern: UInt8(ascii: "."))] : path.map { CChar(bitPattern: $0) }
        let child = openat(descriptor, name + [0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard child >= 0 else { return nil }
        guard let directory = fdopendir(child) else {
            close(child)
            return nil
        }
        return directory
    }

    /// The next entry; nil at the end, where `errno` is 0, and at a fault, where it is not.
    private static func next(_ directory: OpaquePointer) -> UnsafeMutablePointer<dirent>? {
        errno = 0
        return readdir(directory)
    }

    /// What an entry is, as the file type of a mode; the file system may have said so already.
    private static func kind(of entry: UnsafeMutablePointer<dirent>, in directory: OpaquePointer) -> mode_t {
        switch Int(entry.pointee.d_type) {
        case Int(DT_REG): return S_IFREG
        case Int(DT_DIR): return S_IFDIR
        case Int(DT_UNKNOWN): break
        default: return S_IFIFO
        }
        var status = stat()
        let name = entry.name.map { CChar(bitPattern: $0) } + [0]
        return fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode & S_IFMT : S_IFIFO
    }
}
