import JSON
import Yams

/// Reads YAML as JSON: what a plain scalar means is what JSON would make of it, and everything else is a text.
///
/// So `no`, `on`, `1_000`, `0o17` and dates are texts, as they are in quotes. Anchors and aliases are followed; tags are not
/// known. The source's lines are kept, so that a fault can be told where it stands.
struct YAMLReader {
    /// A document of a file.
    struct Document: Sendable {
        var json: JSONDocument
        /// The line of each value, by its JSON pointer.
        var lines: [String: Int]

        /// The line of a value, or of the nearest that holds it.
        func line(of pointer: String) -> Int {
            var tokens = JSONPointer(pointer)?.tokens ?? []
            while true {
                if let line = lines[JSONPointer(tokens: tokens).text] { return line }
                guard tokens.popLast() != nil else { return 1 }
            }
        }
    }

    /// A document is at most this long as JSON, in bytes; aliases can make it much longer than its source.
    static let maximumBytes = 1 << 20
    private static let maximumDepth = 64

    private var writer = JSONWriter()
    private var lines: [String: Int] = [:]

    /// Reads all documents of a text; empty ones are left out.
    ///
    /// - Throws: ``CommandLineError`` with the line of what cannot be read.
    static func documents(_ text: String) throws(CommandLineError) -> [Document] {
        var documents: [Document] = []
        do {
            let parser = try Parser(yaml: text)
            while let node = try parser.nextRoot() {
                if case .scalar(let scalar) = node, scalar.string.isEmpty { continue }
                var reader = YAMLReader()
                try reader.write(node, at: JSONPointer(), depth: 0)
                documents.append(
                    Document(
                        json: try JSONDocument(parsing: reader.writer.bytes, limits: .wrapped),
                        lines: reader.lines
                    )
                )
            }
        } catch let error as CommandLineError {
            throw error
        } catch {
            throw CommandLineError(.file, "\(error)")
        }
        return documents
    }

    private mutating func write(_ node: Node, at pointer: JSONPointer, depth: Int) throws(CommandLineError) {
        if let line = node.mark?.line { lines[pointer.text] = line }
        guard depth <= Self.maximumDepth else {
            throw Self.error(node, "this is nested more than \(Self.maximumDepth) levels deep")
        }
        guard writer.bytes.count <= Self.maximumBytes else {
            throw Self.error(node, "the document is longer than \(Self.maximumBytes) bytes")
        }
        switch node {
        case .scalar(let scalar):
            write(scalar)
        case .sequence(let sequence):
            writer.beginArray()
            for (index, element) in sequence.enumerated() {
                try write(element, at: pointer.appending(index), depth: depth + 1)
            }
            writer.endArray()
        case .mapping(let mapping):
            writer.beginObject()
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw Self.error(key, "a name must be a text")
                }
                writer.key(name.string)
                try write(value, at: pointer.appending(name.string), depth: depth + 1)
            }
            writer.endObject()
        case .alias:
            throw Self.error(node, "this alias leads nowhere")
        }
    }

    private mutating func write(_ scalar: Node.Scalar) {
        guard scalar.style == .plain || scalar.style == .any else {
            return writer.string(scalar.string)
        }
        switch scalar.string {
        case "", "~", "null": writer.null()
        case "true": writer.bool(true)
        case "false": writer.bool(false)
        case let text where (try? JSONDocument(parsing: text))?.root.kind == .number: writer.raw(text.utf8)
        default: writer.string(scalar.string)
        }
    }

    private static func error(_ node: Node, _ message: String) -> CommandLineError {
        CommandLineError(.file, "\(node.mark.map { "line \($0.line): " } ?? "")\(message)")
    }
}
