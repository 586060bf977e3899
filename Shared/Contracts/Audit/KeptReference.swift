import FoundationEssentials
package import JSON

/// What stands in an entry for a value that is kept beside the log: `{"$kept":{"bytes":…,"sha256":…}}`.
///
/// In an entry no other object has a member of this name: a name of a user's own that is made of one or more `$` and `kept`
/// is written with one `$` more.
package enum KeptReference {
    private static let name = "$kept"

    /// The hash in a reference; nil for any other value.
    package static func hash(_ value: JSONView) -> [UInt8]? {
        guard value.kind == .object, value.count == 1, let text = value[name]?["sha256"]?.stringValue,
            let hash = Data(base64Encoded: text), hash.count == 32
        else {
            return nil
        }
        return Array(hash)
    }

    /// All that is kept beside the log of a value of an entry: the hash of each, and how many bytes it has.
    package static func all(in value: JSONView) -> [(hash: [UInt8], bytes: Int64)] {
        guard isNamed(in: value.rawBytes) else {
            return []
        }
        if let hash = hash(value) {
            return [(hash, max(0, value[name]?["bytes"]?.int64Value ?? 0))]
        }
        return value.elements.flatMap { all(in: $0) } + value.members.flatMap { all(in: $0.value) }
    }

    /// A value of an entry as it was before it was written there.
    ///
    /// - Parameters:
    ///   - value: The value of the entry.
    ///   - bodies: What is still kept beside the log, by its hash.
    /// - Returns: The value, and whether nothing of it is lacking; what is lacking stands by its reference. Nil where the
    ///   value is what stands in the entry.
    package static func restored(
        _ value: JSONView,
        from bodies: [[UInt8]: [UInt8]]
    ) -> (value: JSONValue, isWhole: Bool)? {
        guard isNamed(in: value.rawBytes) else {
            return nil
        }
        var isWhole = true
        return (restored(value, bodies, &isWhole), isWhole)
    }

    private static func restored(_ value: JSONView, _ bodies: [[UInt8]: [UInt8]], _ isWhole: inout Bool) -> JSONValue {
        if let hash = hash(value) {
            guard let body = bodies[hash], let kept = try? JSONValue(parsing: body, limits: .wrapped) else {
                isWhole = false
                return value.value
            }
            return kept
        }
        switch value.kind {
        case .array:
            var elements: [JSONValue] = []
            for element in value.elements { elements.append(restored(element, bodies, &isWhole)) }
            return .array(elements)
        case .object:
            var members: [JSONMember] = []
            for member in value.members {
                members.append(JSONMember(unmarked(member.key), restored(member.value, bodies, &isWhole)))
            }
            return .object(members)
        case .null, .bool, .number, .string:
            return value.value
        }
    }

    /// The reference to a body, in canonical form.
    static func bytes(to body: KeptBody) -> [UInt8] {
        var bytes = Array("{\"\(name)\":{\"bytes\":".utf8)
        bytes.append(decimal: Int64(body.body.count))
        bytes.append(contentsOf: ",\"sha256\":\"".utf8)
        bytes.append(contentsOf: Data(body.hash).base64EncodedString().utf8)
        bytes.append(contentsOf: "\"}}".utf8)
        return bytes
    }

    /// Whether canonical bytes hold a member whose name is, or ends with, that of a reference.
    static func isNamed(in canonical: some Collection<UInt8>) -> Bool {
        let member = Array("\(name)\":".utf8)
        var rest = canonical[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "$")) {
            rest = rest[start...]
            if rest.starts(with: member) {
                return true
            }
            rest = rest.dropFirst()
        }
        return false
    }

    /// A name of a user's own as it stands in an entry.
    static func marked(_ name: String) -> String {
        isReserved(name) ? "$" + name : name
    }

    private static func unmarked(_ name: String) -> String {
        isReserved(name) && name.utf8.starts(with: "$$".utf8) ? String(name.dropFirst()) : name
    }

    /// Whether a name is made of one or more `$` and `kept`.
    private static func isReserved(_ name: String) -> Bool {
        name.utf8.drop { $0 == UInt8(ascii: "$") }.elementsEqual("kept".utf8) && name.utf8.first == UInt8(ascii: "$")
    }
}
