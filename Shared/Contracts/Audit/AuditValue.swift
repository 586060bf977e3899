package import JSON

/// The state of an object before or after a change.
package enum AuditValue: Sendable, Equatable {
    /// There was none; it is written as `null`.
    case none
    /// RFC 8785 JSON that stands in the entry as it is, with no object in it that is a user's own.
    case canonical([UInt8])
    /// RFC 8785 JSON that stands in the entry otherwise than it is.
    case rewritten(RewrittenValue)

    /// A value in canonical form.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - places: Where personal values stand in it; a place that is not there, or null, is passed over. What stands
    ///     there is kept beside the log, however small it is.
    ///   - salt: Makes 16 random bytes; called once for each personal value.
    /// - Returns: The value.
    /// - Throws: `ContractError` with code `unwritable` where the value has no canonical form.
    package static func json(
        _ value: JSONValue,
        personal places: [JSONPointer] = [],
        salt: @escaping () -> [UInt8] = AuditDraft.randomSalt
    ) throws(ContractError) -> AuditValue {
        do {
            let whole = try value.canonicalBytes()
            guard !places.isEmpty || KeptReference.isNamed(in: whole) else {
                return .canonical(whole)
            }
            var writing = EntryWriting(salt: salt)
            let written = try writing.written(value, places.map { $0.tokens[...] }).canonicalBytes()
            return .rewritten(RewrittenValue(whole: whole, written: written, kept: writing.kept))
        } catch {
            throw ContractError(.unwritable, "a value of an audit entry has no canonical form: \(error)")
        }
    }

    /// The bytes as they stand in the entry.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .none: bytes.append(contentsOf: "null".utf8)
        case .canonical(let canonical): bytes.append(contentsOf: canonical)
        case .rewritten(let value): bytes.append(contentsOf: value.written)
        }
    }
}

/// A value that stands in an entry otherwise than it is.
package struct RewrittenValue: Sendable, Equatable {
    /// The value itself.
    let whole: [UInt8]
    /// What stands in the entry.
    let written: [UInt8]
    /// The personal values that ``written`` names by their hashes.
    let kept: [KeptBody]
}

/// Writes a value as it stands in an entry: personal values by reference, and names marked that would mean a reference.
private struct EntryWriting {
    let salt: () -> [UInt8]
    private(set) var kept: [KeptBody] = []

    init(salt: @escaping () -> [UInt8]) {
        self.salt = salt
    }

    /// The value as it stands in the entry.
    ///
    /// - Parameters:
    ///   - value: The value, or a part of it.
    ///   - places: Where personal values stand within it.
    /// - Returns: The value to write.
    /// - Throws: Where a personal value has no canonical form.
    mutating func written(_ value: JSONValue, _ places: [ArraySlice<String>]) throws -> JSONValue {
        guard !places.contains(where: \.isEmpty) else {
            guard value != .null else {
                return .null
            }
            let body = KeptBody(body: try value.canonicalBytes(), salt: salt())
            kept.append(body)
            return try JSONValue(parsing: KeptReference.bytes(to: body))
        }
        func within(_ token: String) -> [ArraySlice<String>] {
            places.filter { $0.first == token }.map { $0.dropFirst() }
        }
        switch value {
        case .null, .bool, .number, .string:
            return value
        case .array(let elements):
            var written: [JSONValue] = []
            for (index, element) in elements.enumerated() {
                written.append(try self.written(element, within(String(index))))
            }
            return .array(written)
        case .object(let members):
            var written: [JSONMember] = []
            for member in members {
                let value = try self.written(member.value, within(member.key))
                written.append(JSONMember(KeptReference.marked(member.key), value))
            }
            return .object(written)
        }
    }
}
