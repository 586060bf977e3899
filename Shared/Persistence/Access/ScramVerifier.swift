import Crypto
import FoundationEssentials

/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677), in the form of Postgres.
///
/// Made here, so that no password stands in a statement, where a server's log would keep it.
struct ScramVerifier: Hashable, Sendable {
    static let defaultIterations = 4096
    /// No verifier that a server holds makes us work longer.
    private static let maximumIterations = 100_000

    let iterations: Int
    let salt: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    /// Makes the verifier of a password.
    ///
    /// - Parameters:
    ///   - password: One that ``isUsable(_:)``.
    ///   - salt: Random bytes.
    ///   - iterations: How much work guessing is.
    init(password: String, salt: [UInt8] = Self.randomSalt(), iterations: Int = Self.defaultIterations) {
        let salted = SymmetricKey(data: Self.saltedPassword(password, salt, iterations))
        let clientKey = HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: salted)
        self.iterations = iterations
        self.salt = salt
        storedKey = Array(SHA256.hash(data: Array(clientKey)))
        serverKey = Array(HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: salted))
    }

    /// Reads `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { return nil }
        let head = parts[1].split(separator: ":")
        let keys = parts[2].split(separator: ":")
        guard head.count == 2, keys.count == 2,
            let iterations = Int(head[0]), (1...Self.maximumIterations).contains(iterations),
            let salt = Data(base64Encoded: String(head[1])),
            let storedKey = Data(base64Encoded: String(keys[0])),
            let serverKey = Data(base64Encoded: String(keys[1]))
        else { return nil }
        self.iterations = iterations
        self.salt = Array(salt)
        self.storedKey = Array(storedKey)
        self.serverKey = Array(serverKey)
    }

    /// Whether the verifier is that of the password.
    func matches(_ password: String) -> Bool {
        ScramVerifier(password: password, salt: salt, iterations: iterations) == self
    }

    /// Whether the password is the same to every client: what is not ASCII would be normalised (RFC 4013).
    static func isUsable(_ password: String) -> Bool {
        (1...200).contains(password.utf8.count) && password.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    static func randomSalt() -> [UInt8] {
        SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
    }

    /// PBKDF2 with HMAC-SHA-256, of one block.
    private static func saltedPassword(_ password: String, _ salt: [UInt8], _ iterations: Int) -> [UInt8] {
        let key = SymmetricKey(data: Array(password.utf8))
        var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var sum = block
        for _ in 1..<max(1, iterations) {
            block = Array(HMAC<SHA256>.authenticationCode(for: block, using: key))
            for index in sum.indices { sum[index] ^= block[index] }
        }
        return sum
    }
}

extension ScramVerifier: CustomStringConvertible {
    var description: String {
        func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
        return "SCRAM-SHA-256$\(iterations):\(base64(salt))$\(base64(storedKey)):\(base64(serverKey))"
    }
}
