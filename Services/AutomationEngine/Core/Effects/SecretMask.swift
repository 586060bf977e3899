/// Takes the secrets that an attempt used out of what came back.
///
/// An answer that echoes its request must not put a secret into the run.
struct SecretMask: Sendable {
    /// What stands in a secret's place.
    static let mask = Array("<secret>".utf8)

    /// Longest first, so that a secret within another leaves nothing of the longer one.
    private let patterns: [[UInt8]]

    /// - Parameter secrets: The texts; each is looked for as it is and as a JSON string has it.
    init(_ secrets: some Sequence<String>) {
        var patterns: Set<[UInt8]> = []
        for secret in secrets where !secret.isEmpty {
            patterns.insert(Array(secret.utf8))
            patterns.insert(Self.escaped(secret))
        }
        self.patterns = patterns.sorted { $0.count > $1.count }
    }

    /// Bytes without the secrets.
    func masking(_ bytes: [UInt8]) -> [UInt8] {
        patterns.reduce(bytes) { Self.replacing($1, in: $0) }
    }

    /// A text without the secrets.
    func masking(_ text: String) -> String {
        patterns.isEmpty ? text : String(decoding: masking(Array(text.utf8)), as: UTF8.self)
    }

    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        return bytes
    }

    private static func replacing(_ pattern: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= pattern.count, bytes.firstRange(of: pattern) != nil else {
            return bytes
        }
        var masked: [UInt8] = []
        masked.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let range = rest.firstRange(of: pattern) {
            masked += rest[..<range.lowerBound]
            masked += mask
            rest = rest[range.upperBound...]
        }
        return masked + rest
    }
}
