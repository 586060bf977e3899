import Crypto
import FoundationEssentials
package import JSON

/// The state of an object before or after a change.
package enum AuditValue: Sendable, Equatable {
    /// There was none; it is written as `null`.
    case none
    /// RFC 8785 JSON.
    case canonical([UInt8])

    /// A value in canonical form.
    ///
    /// - Throws: `ContractError` with code `unwritable` where the value has no canonical form.
    package static func json(_ value: JSONValue) throws(ContractError) -> AuditValue {
        do {
            return .canonical(try value.canonicalBytes())
        } catch {
            throw ContractError(.unwritable, "a value of an audit entry has no canonical form: \(error)")
        }
    }

    /// The bytes as they stand in the entry.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .none: bytes.append(contentsOf: "null".utf8)
        case .canonical(let canonical): bytes.append(contentsOf: canonical)
        }
    }
}

/// A value too large for an audit entry, which names it by its salted hash instead.
package struct KeptBody: Sendable, Equatable {
    /// The bytes of a salt.
    package static let saltLength = 16

    /// SHA-256 of the salt and the body.
    package let hash: [UInt8]
    /// 16 random bytes, so that an erased body cannot be guessed from its hash.
    package let salt: [UInt8]
    /// RFC 8785 JSON.
    package let body: [UInt8]

    /// A body with the hash that names it.
    package init(body: [UInt8], salt: [UInt8]) {
        self.body = body
        self.salt = salt
        var hasher = SHA256()
        hasher.update(data: salt)
        hasher.update(data: body)
        hash = Array(hasher.finalize())
    }

    /// The hash in a value that stands for a kept one; nil for any other value.
    package static func hash(_ value: JSONView) -> [UInt8]? {
        guard value.kind == .object, value.members.underestimatedCount == 1,
            let text = value["$kept"]?["sha256"]?.stringValue, let hash = Data(base64Encoded: text), hash.count == 32
        else {
            return nil
        }
        return Array(hash)
    }

    /// What stands in the entry: `{"$kept":{"bytes":…,"sha256":…}}`.
    var reference: AuditValue {
        var bytes = Array("{\"$kept\":{\"bytes\":".utf8)
        bytes.append(decimal: Int64(body.count))
        bytes.append(contentsOf: ",\"sha256\":\"".utf8)
        bytes.append(contentsOf: Data(hash).base64EncodedString().utf8)
        bytes.append(contentsOf: "\"}}".utf8)
        return .canonical(bytes)
    }
}
