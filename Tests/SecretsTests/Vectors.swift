/// Results of Python's `hmac` and `cryptography`, and of `openssl dgst`, for the inputs that stand next to them.
enum Vectors {
    /// AES-256-GCM of "correct horse ñ" under `Samples.firstKey`, id 2026-01, nonce 200 to 211, `Samples.context`.
    static let sealed =
        "0107323032362d3031c8c9cacbcccdcecfd0d1d2d3721713a9e3af8f001c536dcd7b2628a58c5c65a0a9adba30a41375b517ce54f4"
    /// The same of no bytes, for the hook `github-main` of `acme`, version -1.
    static let sealedNothing = "0107323032362d3031c8c9cacbcccdcecfd0d1d2d34bd66df6c5ef35b64b2f978dd53c43b7"
    /// The associated data of the first.
    static let associatedData =
        "000000000000000f6261747574612e7365616c65642e310000000000000007323032362d3031000000000000000d656e67696e"
        + "652e736563726574000000000000000461636d65000000000000000d736d74702e70617373776f72640000000000000007"

    static let body = Array(#"{"event":"built","n":[1,2,3]}"#.utf8)
    static let time: Int64 = 1_800_000_000

    /// HMAC-SHA256 with the secret "octo secret ñ".
    static let gitHubSecret = "octo secret ñ"
    static let gitHub = "03d088a8f327f0c0ae6c7f0c58bd2061abbb21aee0aee7afe7befee6f3b73ef9"
    static let gitHubOfNothing = "41c7f27a4db72b0cb7484405f0e1144ec62ff8e80d6b5dbc3125cf8aa0cd9b07"
    static let gitHubOfAllBytes = "8131eef87bc7d13e7ecc1675247d89329d9826fa3243b3cef36a10fac57871b6"
    /// The same with 200 times "k", which is longer than a block of the hash.
    static let gitHubLongSecret = "0983a44b2436a531a06bcd7aa5ef269b0af2362e6fd7f1e3a4d50086c8b9d9d9"

    static let stripeSecrets = ["whsec_first0123456789", "whsec_second"]
    static let stripe = [
        "afd27db63db641cbcc53a121423b8a307bdbdf570e26657da2e400cc529cd36b",
        "74b66e587c3cab41ff4f5d681c46c45cfefb5a4d5816fc90b001bff9bccf2477",
    ]

    /// The message's id is this, its time `time`.
    static let messageID = "msg_2Zq"
    /// Of the bytes 1 to 32, and of the bytes 50 to 73.
    static let sharedKeys = [
        "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "whsec_MjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJ",
    ]
    static let shared = [
        "v1,b3xqcivB/IPrrfLj36DZSFzQh7r90i60ZoPRmes9Wyw=", "v1,iOTzb3NvdYo2/krxzG0kiD84QKQ2C46YpE3F1uQKtNs=",
    ]
    /// The first key's, for the time 0.
    static let sharedAtZero = "v1,fx5pEc0D+EpIzz/n27kBzml2X6nmQPw1tLYzuEPcsHs="
    /// Of the seeds 7 to 38, and 9 to 40.
    static let publicKeys = [
        "whpk_ANBaHR6iUTltVXr71FiLPG2Z2+uXL+0QoyVi6ibc3Po=", "whpk_Z37dnHpvuqXWCdxwBc6AEdVOAxSs+JyhcgV7wUDt5io=",
    ]
    static let asymmetric = [
        "v1a,2Q6NDRODtWevG4nEI8NPA9/wNJzPU0RLEDgsL6RD8DpHf6yIuoyafujaOO/jx8Nj+0QQ7fVY5cMYeMZoIywHDQ==",
        "v1a,O6a55miLRob4jRws9AljJTAdg21Ma/nQkEO299ci8M9NgoO0uaojlN0auLuupkvs0V3y5+UU5uMk0zx3s4vnAQ==",
    ]

    /// The bytes that hexadecimal digits stand for.
    static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
