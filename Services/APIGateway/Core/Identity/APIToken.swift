import Crypto

/// A token as its holder has it: `bat_` and 43 characters of base64url, 32 random bytes.
package struct APIToken: Sendable {
    /// The whole text; shown once, when it is made.
    package let text: String

    /// A fresh token.
    package init(using generator: inout some RandomNumberGenerator) {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        text = Self.prefix + Self.base64URL(bytes)
    }

    /// A token that somebody shows; nil where it cannot be one.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.hasPrefix(Self.prefix),
            text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy(Self.isBase64URL)
        else {
            return nil
        }
        self.text = String(text)
    }

    /// The token of an `Authorization` header, or nil where there is none.
    package init?(authorization header: String) {
        guard header.utf8.count <= 128, let blank = header.firstIndex(of: " "),
            header[..<blank].lowercased() == "bearer"
        else {
            return nil
        }
        self.init(header[blank...].drop { $0 == " " })
    }

    /// What is stored and looked up in the token's place.
    package var hash: TokenHash {
        var sha = SHA256()
        var text = text
        text.withUTF8 { sha.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return TokenHash(sha.finalize().withUnsafeBytes { Array($0) })
    }

    private static let prefix = "bat_"
    private static let length = 47
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                result.append(alphabet[Int(buffer >> bits & 63)])
            }
            buffer &= (1 << bits) - 1
        }
        if bits > 0 {
            result.append(alphabet[Int(buffer << (6 - bits) & 63)])
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The SHA-256 of a token.
package struct TokenHash: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}
