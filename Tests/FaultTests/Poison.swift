import Foundation
import JSON

/// A message that no consumer can read.
struct Poison: Sendable {
    let messageID: String
    let body: [UInt8]
    let properties: JSONValue

    /// - Parameters:
    ///   - number: every second one has no headers at all.
    ///   - contract: what its properties claim it to be.
    ///   - body: the bytes.
    init(_ number: Int, of contract: String, body: [UInt8]) {
        messageID = UUID().uuidString.lowercased()
        self.body = body
        let headers: JSONValue = [
            "x-schema-version": 1, "x-tenant": "acme", "x-producer": "api-gateway/poison/0", "x-epoch": 900_000,
            "x-seq": 1, "x-count": 1,
        ]
        properties = [
            "message_id": .string(messageID),
            "type": .string(contract),
            "content_type": "application/json",
            "delivery_mode": 2,
            "app_id": "api-gateway",
            "user_id": "batuta_gateway",
            "timestamp": 1_800_000_000,
            "headers": number.isMultiple(of: 2) ? headers : [:],
        ]
    }

    /// Each of them twice, once with headers and once without.
    static let bodies: [[UInt8]] = texts.flatMap { [Array($0.utf8), Array($0.utf8)] } + [bytes, bytes]

    private static let bytes: [UInt8] = [0xFF, 0xFE, 0x00, 0x80]

    private static let texts = [
        "",
        "not JSON",
        "{}",
        #"{"id":"x"}"#,
        #"[{"specversion":"1.0"}]"#,
        #"[{"specversion":"1.0","id":"1","source":"/x","type":"orders.paid","batutasignalid":"no id"}]"#,
        #"[{"batutasignalid":"01a00000-0000-4000-8000-000000000000","type":"orders.paid"}]"#,
        #"[{"batutasignalid":7,"type":7}]"#,
        #"[{"a":1,"a":2}]"#,
        String(repeating: "[", count: 5_000),
        "{\"v\":1}\n{\"v\":2}\n",
        "\u{0}\u{0}\u{0}",
    ]
}
