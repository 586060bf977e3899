import Crypto
import Domain
import FoundationEssentials
import JSON

/// What the signals of a type are compared by, as a definition states it.
struct SignalShape: Hashable, Sendable {
    var type: String
    /// JSON Pointers into the event, sorted.
    var paths: [String]

    /// The paths as a JSON array.
    var pathsText: String {
        var writer = JSONWriter()
        writer.beginArray()
        for path in paths { writer.string(path) }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    init(type: String, paths: some Sequence<String>) {
        self.type = type
        self.paths = paths.sorted()
    }

    /// Reads what ``pathsText`` has written; nil for anything else.
    init?(type: String, pathsText: String) {
        guard let root = try? JSONDocument(parsing: Array(pathsText.utf8)).root, root.kind == .array else {
            return nil
        }
        self.type = type
        paths = root.elements.compactMap(\.stringValue)
    }

    /// What an event is found by, SHA-256 in hex; nil where one of the places is no text, number, boolean or null.
    func correlation(of event: JSONView) -> String? {
        var values: [JSONView] = []
        for path in paths {
            guard let pointer = JSONPointer(path), let value = event[pointer] else {
                return nil
            }
            values.append(value)
        }
        return Self.correlation(values)
    }

    /// The same of values in the order of the paths.
    static func correlation(_ values: [JSONView]) -> String? {
        var hasher = SHA256()
        for value in values {
            guard value.kind != .object, value.kind != .array, let bytes = try? value.canonicalBytes() else {
                return nil
            }
            hasher.update(data: bytes)
            // No canonical text of a scalar has it.
            hasher.update(data: [0])
        }
        return hasher.finalize().hex
    }
}
