import JSON

/// The values at a path, containers too, for people to read.
enum EventValues {
    /// The most values that are looked up.
    static let maximum = 4

    /// The values at a path below a value; arrays on the way are gone through.
    ///
    /// Recursion is bounded by the depth with which the document was validated.
    static func at(_ names: ArraySlice<[UInt8]>, in view: JSONView) -> [JSONView] {
        guard !names.isEmpty else { return [view] }
        var found: [JSONView] = []
        switch view.kind {
        case .object:
            for member in view.members where found.count < maximum {
                found += following(member.key, to: member.value, names)
            }
        case .array:
            for element in view.elements where found.count < maximum { found += at(names, in: element) }
        case .null, .bool, .number, .string:
            break
        }
        return Array(found.prefix(maximum))
    }

    /// The values at a path whose first names are a member's.
    static func following(_ name: String, to view: JSONView, _ names: ArraySlice<[UInt8]>) -> [JSONView] {
        let parts = Array(name.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= names.count, zip(parts, names).allSatisfy({ Array($0) == $1 }) else { return [] }
        return at(names.dropFirst(parts.count), in: view)
    }
}
