import Contracts
import RabbitMQ
import TestSupport
import Testing

@testable import Messaging

/// What is stored of a message's properties is the message's properties.
@Suite struct MessagePropertiesTests {
    @Test func everyPropertyAndKindOfHeaderSurvives() throws {
        var properties = MessageProperties(
            contentType: "application/json",
            messageID: "m\u{0}\"\\é",
            correlationID: "c",
            type: "t",
            headers: [
                "text": "ß\u{0}\n", "number": .int64(.min), "truth": true, "nothing": .void,
                "double": .double(0.1), "whole": .double(3), "minus": .double(-0.0), "endless": .double(-.infinity),
                "bytes": .bytes([0, 255, 10]), "none": .bytes([]), "time": .timestamp(.max),
                "list": .array([.void, .array([]), .double(1e300)]),
                "table": .table(["a": .table([:]), "$double": "1"]),
                "$double": .table(["$double": .string("2")]), "$x": .table(["$x": .int64(1)]),
                "twice": .table(["$table": .table(["$bytes": .string("no base64")])]),
            ]
        )
        properties.contentEncoding = "gzip"
        properties.isPersistent = false
        properties.replyTo = "r"
        properties.timestamp = 1_795_000_000
        properties.expiration = "60000"
        properties.appID = "api-gateway"
        properties.userID = "batuta_gateway"
        #expect(try MessageProperties(json: properties.json) == properties)
        #expect(try MessageProperties(json: MessageProperties().json) == MessageProperties())
    }

    @Test func randomHeadersSurvive() throws {
        var generator = SeededGenerator.random()
        for _ in 0..<500 {
            var properties = MessageProperties()
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                properties.headers[Self.name(&generator)] = Self.value(depth: 0, &generator)
            }
            properties.timestamp = Bool.random(using: &generator) ? .random(in: .min ... .max, using: &generator) : nil
            let json = properties.json
            #expect(try MessageProperties(json: json) == properties, "\(json)")
        }
    }

    /// The deepest headers that the client reads, each level with a name of ours, which takes two levels of JSON.
    @Test func deepHeadersSurvive() throws {
        let value = (0..<32).reduce(HeaderValue.int64(1)) { inner, _ in .table(["$table": inner]) }
        let properties = MessageProperties(headers: ["deep": value])
        #expect(try MessageProperties(json: properties.json) == properties)
    }

    /// An earlier release had no form for bytes, times and whole doubles.
    @Test func theFormBeforeIsStillRead() throws {
        let headers = #"{"x-epoch":7,"x-half":0.5,"x-odd":["inf","AQ==",null]}"#
        let json = #"{"headers":\#(headers),"message_id":"m","persistent":true}"#
        let properties = try MessageProperties(json: json)
        #expect(properties.messageID == "m")
        #expect(
            properties.headers == [
                "x-epoch": .int64(7), "x-half": .double(0.5), "x-odd": .array(["inf", "AQ==", .void]),
            ]
        )
    }

    @Test(arguments: ["", "[]", "1", "{", #"{"a":1,"a":2}"#, String(repeating: "[", count: 1_000)])
    func whatIsNoObjectIsRefused(_ text: String) {
        #expect(throws: ContractError.self) { try MessageProperties(json: text) }
    }

    private static func value(depth: Int, _ generator: inout SeededGenerator) -> HeaderValue {
        switch Int.random(in: 0...(depth < 5 ? 8 : 6), using: &generator) {
        case 0: .string(name(&generator))
        case 1: .int64(.random(in: .min ... .max, using: &generator))
        case 2: .bool(.random(using: &generator))
        case 3: .double(finite(&generator))
        case 4:
            .bytes(
                (0..<Int.random(in: 0...20, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
            )
        case 5: .timestamp(.random(in: .min ... .max, using: &generator))
        case 6: .void
        case 7: .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in value(depth: depth + 1, &generator) })
        default:
            .table(
                Dictionary(
                    (0..<Int.random(in: 0...2, using: &generator)).map { _ in
                        (name(&generator), value(depth: depth + 1, &generator))
                    },
                    uniquingKeysWith: { $1 }
                )
            )
        }
    }

    /// Any bits but those of not-a-number, which equals nothing.
    private static func finite(_ generator: inout SeededGenerator) -> Double {
        let value = Double(bitPattern: .random(in: .min ... .max, using: &generator))
        return value.isNaN ? .infinity : value
    }

    private static func name(_ generator: inout SeededGenerator) -> String {
        let names = ["$double", "$bytes", "$timestamp", "$table", "$", "", "x-tenant", "\u{0}", "é\"\\", "\u{10FFFF}"]
        return names.randomElement(using: &generator) ?? ""
    }
}
