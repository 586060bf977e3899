import Contracts
import Domain
import Testing

@Suite struct MessageEnvelopeTests {
    @Test func whatIsWrittenIsRead() throws {
        let envelope = try MessageContractsTests.envelope()
        #expect(try MessageEnvelope(envelope.head) == envelope)
        #expect(envelope.lastSeq == 346)
        var without = envelope
        without.traceparent = nil
        #expect(without.head.headers["traceparent"] == nil)
        #expect(try MessageEnvelope(without.head) == without)
    }

    @Test func theHeadersAreTheDocumentedOnes() throws {
        let head = try MessageContractsTests.envelope().head
        #expect(head.messageID == "019aa3a2-7d3b-7c11-8a2b-0123456789ad")
        #expect(head.headers["x-seq"] == .integer(345))
        #expect(
            head.headers.keys.sorted() == [
                "traceparent", "x-count", "x-epoch", "x-producer", "x-schema-version", "x-seq", "x-tenant",
            ]
        )
    }

    @Test(arguments: [
        ("x-schema-version", EnvelopeValue.integer(0)), ("x-schema-version", .text("1")), ("x-tenant", .text("Acme")),
        ("x-tenant", .integer(1)), ("x-producer", .text("")), ("x-epoch", .integer(-1)),
        ("x-epoch", .integer(.max)), ("x-seq", .integer(0)), ("x-seq", .text("345")), ("x-count", .integer(0)),
        ("x-count", .integer(.max)), ("traceparent", .integer(1)),
    ])
    func aWrongHeaderIsNamed(name: String, value: EnvelopeValue) throws {
        var head = try MessageContractsTests.envelope().head
        head.headers[name] = value
        let error = #expect(throws: ContractError.self) { try MessageEnvelope(head) }
        #expect(error?.code == .badHeader)
        #expect(error?.message.hasPrefix(name) == true)
    }

    @Test(arguments: ["x-schema-version", "x-tenant", "x-producer", "x-epoch", "x-seq", "x-count"])
    func aMissingHeaderIsNamed(name: String) throws {
        var head = try MessageContractsTests.envelope().head
        head.headers[name] = nil
        let error = #expect(throws: ContractError.self) { try MessageEnvelope(head) }
        #expect(error?.message == "\(name) is missing")
    }

    @Test func aMissingPropertyIsNamed() throws {
        let properties: [(String, WritableKeyPath<MessageHead, String?>)] = [
            ("message_id", \.messageID), ("type", \.type), ("content_type", \.contentType), ("app_id", \.appID),
            ("user_id", \.userID),
        ]
        for (name, path) in properties {
            var head = try MessageContractsTests.envelope().head
            head[keyPath: path] = nil
            let error = #expect(throws: ContractError.self) { try MessageEnvelope(head) }
            #expect(error?.message == "\(name) is missing")
        }
        var head = try MessageContractsTests.envelope().head
        head.timestamp = nil
        #expect(throws: ContractError.self) { try MessageEnvelope(head) }
        head = try MessageContractsTests.envelope().head
        head.messageID = "17"
        #expect(throws: ContractError.self) { try MessageEnvelope(head) }
    }
}
