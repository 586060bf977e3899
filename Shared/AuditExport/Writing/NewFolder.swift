import Glibc

/// A directory that is being filled with new files, readable to their owner only.
final class NewFolder {
    private let root: String

    /// The directories that were made, each behind the one above it.
    private var folders: [String] = []
    private var made: Set<String> = []

    /// Files that are written and still open, as they are not known to be on the disk.
    private var unsynchronized: [Int32] = []

    /// How many files are brought to the disk together: one after the other takes five times as long.
    private static let batch = 32

    /// Makes a directory; throws where it is there already and not empty, or cannot be made.
    init(_ path: String) throws(ExportError) {
        root = path
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw .system("\(path) cannot be made") }
        guard try Self.isEmpty(path) else {
            throw ExportError(.notEmpty, "\(path) exists already, and is not an empty directory.")
        }
    }

    deinit {
        for file in unsynchronized {
            close(file)
        }
    }

    /// Writes a file that is not there, and makes the directories above it.
    func write(_ path: String, _ bytes: [UInt8]) throws(ExportError) {
        try makeFolders(above: path)
        let file = open("\(root)/\(path)", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("\(root)/\(path) cannot be made") }
        unsynchronized.append(file)
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written >= 0 || errno == EINTR else { throw .system("\(root)/\(path) cannot be written") }
            rest = rest.dropFirst(max(written, 0))
        }
        if unsynchronized.count >= Self.batch {
            try synchronizeFiles()
        }
    }

    /// Brings everything that was written to the disk, names included.
    func synchronize() throws(ExportError) {
        try synchronizeFiles()
        for folder in folders.reversed() {
            try Self.synchronize("\(root)/\(folder)")
        }
        try Self.synchronize(root)
        try Self.synchronize("\(root)/..")
    }

    private func synchronizeFiles() throws(ExportError) {
        for file in unsynchronized {
            guard fsync(file) == 0 else { throw .system("A file in \(root) cannot be written") }
        }
        for file in unsynchronized {
            close(file)
        }
        unsynchronized = []
    }

    private static func synchronize(_ path: String) throws(ExportError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system("\(path) cannot be opened") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .system("\(path) cannot be written") }
    }

    /// Makes the directories above a path that were not made yet.
    private func makeFolders(above path: String) throws(ExportError) {
        let parts = path.split(separator: "/").dropLast()
        for count in parts.indices.map({ $0 + 1 }) {
            let folder = parts.prefix(count).joined(separator: "/")
            guard made.insert(folder).inserted else { continue }
            guard mkdir("\(root)/\(folder)", 0o700) == 0 else { throw .system("\(root)/\(folder) cannot be made") }
            folders.append(folder)
        }
    }

    private static func isEmpty(_ path: String) throws(ExportError) -> Bool {
        guard let directory = opendir(path) else {
            guard errno == ENOTDIR else { throw .system("\(path) cannot be read") }
            return false
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            guard entry.isDots else { return false }
        }
        return true
    }
}
