import Secrets

/// Keys, contexts and messages of which `Vectors` has the independent results.
enum Samples {
    /// The bytes 0 to 31.
    static let firstKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    /// The bytes 100 to 131.
    static let secondKey = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="

    static let context = SecretContext(kind: .engineSecret, tenant: "acme", name: "smtp.password", version: 7)

    static func ring(_ lines: String...) throws(SecretsError) -> SecretKeyRing {
        try SecretKeyRing(keyFile: Secret(lines.joined(separator: "\n")))
    }

    static func oldRing() throws(SecretsError) -> SecretKeyRing { try ring("2026-01 \(firstKey)") }

    static func newRing() throws(SecretsError) -> SecretKeyRing {
        try ring("2026-02 \(secondKey)", "2026-01 \(firstKey)")
    }
}

extension Secret {
    /// A copy of the text, for expectations.
    var text: String? { withText { $0 } }

    /// A copy of the bytes, for expectations.
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
