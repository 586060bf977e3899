import JSON

/// The rules of aws/event-ruler, told as plainly as possible and without regard to time.
///
/// Fields are a flat list of names, values and memberships in arrays; alternatives are maps from names to lists; a match
/// is a choice of one agreeing value for every name, in the order of the names. Addresses are compared as hexadecimal
/// digits, one after the other.
struct ReferenceMatcher {
    private struct Field {
        let name: String
        let value: JSONValue
        let membership: [Int: Int]
    }

    private let alternatives: [[String: [JSONValue]]]

    init(_ pattern: JSONValue) {
        var alternatives: [[String: [JSONValue]]] = []
        Self.read(pattern, prefix: "", into: &alternatives)
        self.alternatives = alternatives
    }

    func matches(_ event: JSONValue) -> Bool {
        var fields: [Field] = []
        var arrays = 0
        Self.flatten(event, name: nil, membership: [:], arrays: &arrays, into: &fields)
        return alternatives.contains { alternative in
            let names = alternative.keys.sorted { Array($0.utf16).lexicographicallyPrecedes(Array($1.utf16)) }
            return Self.choose(names[...], of: alternative, from: fields, membership: [:])
        }
    }

    private static func read(
        _ value: JSONValue,
        prefix: String,
        into alternatives: inout [[String: [JSONValue]]]
    ) {
        for member in value.objectValue ?? [] {
            if member.key == "$or" {
                let present = alternatives.isEmpty ? [[:]] : alternatives
                alternatives = (member.value.arrayValue ?? []).flatMap { element in
                    var forked = present
                    read(element, prefix: prefix, into: &forked)
                    return forked
                }
            } else if let list = member.value.arrayValue {
                if alternatives.isEmpty { alternatives = [[:]] }
                for index in alternatives.indices { alternatives[index][prefix + member.key] = list }
            } else {
                read(member.value, prefix: prefix + member.key + ".", into: &alternatives)
            }
        }
    }

    private static func flatten(
        _ value: JSONValue,
        name: String?,
        membership: [Int: Int],
        arrays: inout Int,
        into fields: inout [Field]
    ) {
        switch value {
        case .object(let members):
            for member in members {
                let inner = name.map { "\($0).\(member.key)" } ?? member.key
                flatten(member.value, name: inner, membership: membership, arrays: &arrays, into: &fields)
            }
        case .array(let elements):
            let array = arrays
            arrays += 1
            for (index, element) in elements.enumerated() {
                var inner = membership
                if element.arrayValue != nil || element.objectValue != nil { inner[array] = index }
                flatten(element, name: name, membership: inner, arrays: &arrays, into: &fields)
            }
        case .null, .bool, .number, .string:
            fields.append(Field(name: name ?? "", value: value, membership: membership))
        }
    }

    private static func choose(
        _ names: ArraySlice<String>,
        of alternative: [String: [JSONValue]],
        from fields: [Field],
        membership: [Int: Int]
    ) -> Bool {
        guard let name = names.first else { return true }
        let list = alternative[name] ?? []
        let agreeing = fields.filter { field in
            field.name == name
                && field.membership.allSatisfy { membership[$0, default: $1] == $1 }
        }
        for field in agreeing where list.contains(where: { ReferenceCondition.holds($0, for: field.value) }) {
            let merged = membership.merging(field.membership) { old, _ in old }
            if choose(names.dropFirst(), of: alternative, from: fields, membership: merged) { return true }
        }
        let allowsAbsence = list.contains { $0["exists"]?.boolValue == false }
        return allowsAbsence && agreeing.isEmpty
            && choose(names.dropFirst(), of: alternative, from: fields, membership: membership)
    }
}
