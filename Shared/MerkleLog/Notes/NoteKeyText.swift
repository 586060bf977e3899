/// The text form of a key, public or private: a name, an id, and the base64 of a type and the key's bytes.
struct NoteKeyText {
    let name: String
    let id: String
    let type: UInt8
    let key: [UInt8]

    init(name: String, id: UInt32, kind: NoteKeyKind, key: [UInt8]) {
        self.name = name
        self.id = Hexadecimal.text(id.bigEndianBytes)
        type = kind.rawValue
        self.key = key
    }

    /// Splits a text; nil where it has not three parts, or the last is no base64, and nothing else is checked.
    init?(_ text: Substring) {
        // Base64 may have a plus of its own.
        let parts = text.unicodeScalars.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = StrictBase64.bytes(Substring(parts[2])), let type = bytes.first else {
            return nil
        }
        name = String(Substring(parts[0]))
        id = String(Substring(parts[1]))
        self.type = type
        key = Array(bytes.dropFirst())
    }

    var text: String { "\(name)+\(id)+\(StrictBase64.text([type] + key))" }

    /// What the key signs; throws where the type is not known here.
    func kind() throws(MerkleLogError) -> NoteKeyKind {
        guard let kind = NoteKeyKind(rawValue: type) else {
            throw MerkleLogError(
                .unsupportedKey,
                "The key's type is \(type); known are 1 (Ed25519) and 4 (cosignature)."
            )
        }
        return kind
    }
}
