import FoundationEssentials
import JSON

/// The command to keep a value beside the log: `batuta.audit.keep`, version 1.
///
/// `{"body": the value's RFC 8785 JSON as a string, "body_hash": base64, "salt": base64}`.
package struct AuditKeepV1: Contract {
    package static let type = ContractType.auditKeep
    package static let version = 1

    package let kept: KeptBody

    package init(_ kept: KeptBody) {
        self.kept = kept
    }

    /// Reads the command and checks the hash.
    ///
    /// - Throws: `ContractError` with code `badBody`.
    package init(decoding body: [UInt8]) throws {
        let root = try JSONDocument(parsing: body).root
        guard let text = root["body"]?.stringValue, let salt = Self.bytes(root["salt"], count: KeptBody.saltLength),
            let hash = Self.bytes(root["body_hash"], count: 32)
        else {
            throw ContractError(.badBody, "body, salt or body_hash is missing or not what it must be")
        }
        kept = KeptBody(body: Array(text.utf8), salt: salt)
        guard kept.hash == hash else {
            throw ContractError(.badBody, "body_hash is not the hash of salt and body")
        }
    }

    /// The body to send.
    package var body: [UInt8] {
        var bytes = Array("{\"body\":".utf8)
        bytes.append(jsonString: String(decoding: kept.body, as: UTF8.self))
        bytes.append(contentsOf: ",\"body_hash\":\"".utf8)
        bytes.append(contentsOf: Data(kept.hash).base64EncodedString().utf8)
        bytes.append(contentsOf: "\",\"salt\":\"".utf8)
        bytes.append(contentsOf: Data(kept.salt).base64EncodedString().utf8)
        bytes.append(contentsOf: "\"}".utf8)
        return bytes
    }

    private static func bytes(_ view: JSONView?, count: Int) -> [UInt8]? {
        guard let text = view?.stringValue, let data = Data(base64Encoded: text), data.count == count else {
            return nil
        }
        return Array(data)
    }
}
