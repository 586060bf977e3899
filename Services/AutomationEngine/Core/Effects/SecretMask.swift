import JSON
import Secrets

/// Takes the secrets that an attempt used out of what came back.
///
/// An answer that echoes its request must not put a secret into the run.
struct SecretMask: Sendable {
    /// What stands in a secret's place.
    static let mask = Array(Secret.placeholder.utf8)

    /// Longest first, so that a secret within another leaves nothing of the longer one.
    private let patterns: [[UInt8]]

    /// - Parameter secrets: The texts; each is looked for in every form in which answers commonly repeat a text.
    init(_ secrets: some Sequence<String>) {
        var patterns: Set<[UInt8]> = []
        for secret in secrets where !secret.isEmpty {
            patterns.formUnion(Self.forms(of: secret))
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

    /// As it is; as JSON strings have it, with and without escapes for slashes and for what is not ASCII; percent-encoded.
    private static func forms(of secret: String) -> [[UInt8]] {
        var writer = JSONWriter()
        writer.string(secret)
        let json = String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
        let slashed = json.replacing("/", with: "\\/")
        let forms = [secret, json, slashed].flatMap { [$0, ascii($0, isUpper: false), ascii($0, isUpper: true)] }
        return (forms + [percentEncoded(secret, isUpper: true), percentEncoded(secret, isUpper: false)])
            .map { Array($0.utf8) }
    }

    /// With escapes for everything that is not ASCII.
    private static func ascii(_ text: String, isUpper: Bool) -> String {
        var escaped = ""
        for unit in text.utf16 {
            if unit < 0x80, let scalar = Unicode.Scalar(unit) {
                escaped.unicodeScalars.append(scalar)
            } else {
                let digits = String(unit, radix: 16, uppercase: isUpper)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return escaped
    }

    private static func percentEncoded(_ text: String, isUpper: Bool) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
            {
                encoded.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: isUpper)
                encoded += "%" + String(repeating: "0", count: 2 - digits.count) + digits
            }
        }
        return encoded
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
