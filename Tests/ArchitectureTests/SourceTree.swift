import Foundation

/// The Swift sources of this repository and what they import.
struct SourceTree {
    /// One source file.
    struct File {
        /// The path from the repository's root on.
        let path: String
        /// The lines of the file.
        let lines: [String]
        /// The modules it imports.
        let imports: Set<String>

        /// The folders of the path.
        var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }
    }

    /// Every source under `Services`, `Shared` and `Tests`.
    let files: [File]

    /// Reads the sources under a root.
    init(root: URL) throws {
        var files: [File] = []
        for top in ["Services", "Shared", "Tests"] {
            let folder = root.appendingPathComponent(top)
            guard let paths = FileManager.default.enumerator(atPath: folder.path) else { continue }
            for case let path as String in paths where path.hasSuffix(".swift") {
                let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
                files.append(File(path: "\(top)/\(path)", text: text))
            }
        }
        self.files = files.sorted { $0.path < $1.path }
    }

    /// The repository that this file belongs to, read once for all tests.
    static let current = Result {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return try SourceTree(
            root: here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        )
    }

    /// The files of a module under `Shared`.
    func shared(_ module: String) -> [File] {
        files.filter { $0.path.hasPrefix("Shared/\(module)/") }
    }
}

extension SourceTree.File {
    /// Reads the imports of a source text.
    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        imports = Set(lines.compactMap(Self.importedModule))
    }

    /// The module that a line imports: attributes, an access level and the kind of a scoped import stand before it.
    static func importedModule(_ line: String) -> String? {
        guard line.utf8.count < 200, line.contains("import ") else { return nil }
        let levels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        let kinds: Set<Substring> = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]
        var words = line.split(whereSeparator: \.isWhitespace)[...]
        while let word = words.first, word.hasPrefix("@") || levels.contains(word) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        if let word = words.first, kinds.contains(word) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }
}
