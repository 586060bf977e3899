import Foundation
import JSON

/// An automation as a file states it.
struct AutomationFile: Sendable {
    /// What may be stated of the status; a draft becomes active, an active one deprecated.
    enum Status: String, CaseIterable, Sendable {
        case active
        case deprecated
    }

    var path: String
    var key: String
    var definition: JSONView
    /// Nil where the status is left as it is.
    var status: Status?
    /// The whole document.
    var document: YAMLReader.Document

    /// Where a fault stands: the file and the line.
    func place(of pointer: String) -> String { "\(path):\(document.line(of: pointer))" }
}

extension AutomationFile {
    private static let endings: Set = ["yaml", "yml", "json"]

    /// Reads files, and the files of folders with their folders: `.yaml`, `.yml` and `.json`, sorted by path.
    ///
    /// - Throws: ``CommandLineError`` with the file and the line of what cannot be used.
    static func read(_ paths: [String]) throws(CommandLineError) -> [AutomationFile] {
        var files: [AutomationFile] = []
        for path in paths {
            for file in try sources(of: path) {
                files += try read(file)
            }
        }
        let places = Dictionary(grouping: files, by: \.key)
        if let twice = places.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
            let found = twice.value.map { $0.place(of: "/automation_key") }.joined(separator: " and ")
            throw CommandLineError(.file, "\(twice.key) is stated twice: \(found)")
        }
        guard !files.isEmpty else {
            throw CommandLineError(.file, "there is no automation in \(paths.joined(separator: ", "))")
        }
        return files
    }

    private static func sources(of path: String) throws(CommandLineError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandLineError(.file, "there is no \(path)")
        }
        guard isFolder.boolValue else {
            return [path]
        }
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter { endings.contains(URL(fileURLWithPath: $0).pathExtension.lowercased()) }.sorted()
            .map { "\(path)/\($0)" }
    }

    private static func read(_ path: String) throws(CommandLineError) -> [AutomationFile] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandLineError(.file, "\(path) cannot be read: \(error.localizedDescription)")
        }
        let documents: [YAMLReader.Document]
        do {
            documents = try YAMLReader.documents(text)
        } catch {
            throw CommandLineError(.file, "\(path): \(error.message)")
        }
        var files: [AutomationFile] = []
        for document in documents {
            files.append(try AutomationFile(document, path: path))
        }
        return files
    }

    private static let members: Set = ["automation_key", "name", "description", "status", "definition"]

    init(_ document: YAMLReader.Document, path: String) throws(CommandLineError) {
        let root = document.json.root
        func fault(_ pointer: String, _ message: String) -> CommandLineError {
            CommandLineError(.file, "\(path):\(document.line(of: pointer)): \(message)")
        }
        guard root.kind == .object else {
            throw fault("", "an automation is a mapping with automation_key, name and definition")
        }
        if let unknown = root.members.first(where: { !Self.members.contains($0.key) }) {
            throw fault(JSONPointer().appending(unknown.key).text, "there is no member \(unknown.key) here")
        }
        guard let key = root["automation_key"]?.stringValue, !key.isEmpty else {
            throw fault("/automation_key", "the automation needs an automation_key")
        }
        guard root["name"] != nil, let definition = root["definition"] else {
            throw fault("", "\(key) needs a \(root["name"] == nil ? "name" : "definition")")
        }
        if let stated = root["status"] {
            guard let status = stated.stringValue.flatMap(Status.init(rawValue:)) else {
                throw fault("/status", "the status is active or deprecated; without it, it is left as it is")
            }
            self.status = status
        }
        self.path = path
        self.key = key
        self.definition = definition
        self.document = document
    }
}
