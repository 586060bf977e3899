/// What a sealed secret belongs to: it opens for exactly this and nothing else.
package struct SecretContext: Hashable, Sendable {
    /// Who seals: secrets of one kind never open as those of another.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// A secret that automations name.
        package static let engineSecret = Kind(rawValue: "engine.secret")
        /// The secret of a hook source.
        package static let gatewayHook = Kind(rawValue: "gateway.hook")
    }

    package let kind: Kind

    /// The tenant's key.
    package let tenant: String

    /// The secret's name, or that of the object that has it.
    package let name: String

    package let version: Int64

    /// Makes a context.
    package init(kind: Kind, tenant: String, name: String, version: Int64) {
        self.kind = kind
        self.tenant = tenant
        self.name = name
        self.version = version
    }

    /// The context as the cipher's associated data, different for any two contexts and keys.
    ///
    /// The form's own name, then each text with its length in bytes before it, then the version; numbers have eight
    /// bytes, the most significant first.
    ///
    /// - Parameter keyID: The id of the sealing key.
    /// - Returns: The bytes.
    func associatedData(keyID: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in ["batuta.sealed.1", keyID, kind.rawValue, tenant, name] {
            Self.append(UInt64(text.utf8.count), to: &bytes)
            bytes.append(contentsOf: text.utf8)
        }
        Self.append(UInt64(bitPattern: version), to: &bytes)
        return bytes
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }
}
