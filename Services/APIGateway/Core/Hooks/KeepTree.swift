import JSON

/// Which members of an object are kept.
struct KeepTree: Sendable, Equatable {
    /// Names within one another.
    static let maximumDepth = 16

    private(set) var children: [String: KeepTree] = [:]
    /// Whether all of the value is kept.
    private(set) var isWhole = false

    /// Adds a path; what is kept whole stays whole.
    mutating func insert(_ names: ArraySlice<String>) {
        guard let name = names.first else {
            isWhole = true
            return
        }
        children[name, default: KeepTree()].insert(names.dropFirst())
    }

    /// Writes what is kept of a value: members in the order in which they came, values byte for byte.
    ///
    /// Only objects are walked into; elsewhere a path leads to nothing.
    func write(_ view: JSONView, to writer: inout JSONWriter) {
        guard !isWhole else {
            writer.raw(view.rawBytes)
            return
        }
        writer.beginObject()
        for member in view.members {
            guard let child = children[member.key], child.isWhole || member.value.kind == .object else {
                continue
            }
            writer.key(member.key)
            child.write(member.value, to: &writer)
        }
        writer.endObject()
    }
}
