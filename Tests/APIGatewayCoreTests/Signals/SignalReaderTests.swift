import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import ServiceRuntime
import Testing

@testable import APIGatewayCore

@Suite struct SignalReaderTests {
    private static let structured = "application/cloudevents+json"
    private static let plain = "application/json"
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private static let long = String(repeating: "x", count: 1_025)

    struct Refusal: Sendable, CustomTestStringConvertible {
        var type: String?
        var body: String
        var status: Int
        var code: String
        var pointers: [String] = []

        init(_ type: String?, _ body: String, _ status: Int, _ code: String, _ pointers: [String] = []) {
            self.type = type
            self.body = body
            self.status = status
            self.code = code
            self.pointers = pointers
        }

        var testDescription: String { "\(type ?? "no type"): \(body.prefix(80))" }
    }

    static let refusals: [Refusal] = [
        Refusal(nil, "{}", 415, "unsupported_media_type"),
        Refusal("text/plain", "{}", 415, "unsupported_media_type"),
        Refusal("application", "{}", 415, "unsupported_media_type"),
        Refusal("application/json; charset=latin1", "{}", 415, "unsupported_media_type"),
        Refusal("application/cloudevents-batch+json", "[]", 415, "unsupported_media_type"),
        Refusal("application/cloudevents+xml", "{}", 415, "unsupported_media_type"),
        Refusal(plain, "", 400, "invalid_json"),
        Refusal(plain, "{", 400, "invalid_json"),
        Refusal(plain, #"{"type":"a","type":"b"}"#, 400, "invalid_json"),
        Refusal(plain, #"{"type":"a","data":NaN}"#, 400, "invalid_json"),
        Refusal(plain, #"{"type":"a","data":"\ud800"}"#, 400, "invalid_json"),
        Refusal(plain, #"{"type":"a","data":"# + nested(64) + "}", 400, "invalid_json"),
        Refusal(plain, "[]", 400, "invalid_event"),
        Refusal(plain, "{}", 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":null}"#, 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":1,"data":{}}"#, 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":""}"#, 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":"\#(String(repeating: "x", count: 256))"}"#, 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":"a","id":"\#(long)"}"#, 400, "invalid_event", ["/id"]),
        Refusal(plain, #"{"type":"a","source":"\#(long)"}"#, 400, "invalid_event", ["/source"]),
        Refusal(plain, #"{"type":"a\u0000b"}"#, 400, "invalid_event", ["/type"]),
        Refusal(plain, #"{"type":"a","id":"x\u0000"}"#, 400, "invalid_event", ["/id"]),
        Refusal(plain, #"{"type":"a","x/y":1,"tenant":"b"}"#, 400, "invalid_event", ["/x~1y", "/tenant"]),
        Refusal(structured, "null", 400, "invalid_event"),
        Refusal(structured, event(["id": nil]), 400, "invalid_event", [""]),
        Refusal(structured, event(["specversion": #""0.3""#]), 400, "invalid_event", ["/specversion"]),
        Refusal(
            structured,
            event(["type": #""\#(String(repeating: "x", count: 256))""#]),
            400,
            "invalid_event",
            ["/type"]
        ),
        Refusal(structured, event(["id": #""\#(long)""#]), 400, "invalid_event", ["/id"]),
        Refusal(structured, event(["source": #""/a\u0000""#]), 400, "invalid_event", ["/source"]),
        Refusal(structured, event(["subject": #""a\u0000""#]), 400, "invalid_event", ["/subject"]),
        Refusal(structured, event(["time": #""yesterday""#]), 400, "invalid_event", ["/time"]),
        Refusal(structured, event(["batutasignalid": #""x""#]), 400, "invalid_event", ["/batutasignalid"]),
        Refusal(structured, event(["batutax": "1"]), 400, "invalid_event", ["/batutax"]),
        Refusal(structured, event(["data": "1", "data_base64": #""AA==""#]), 400, "invalid_event"),
    ]

    @Test(arguments: refusals)
    func whatIsRefused(refusal: Refusal) throws {
        let problem = #expect(throws: GatewayProblem.self) { try read(refusal.type, refusal.body) }
        #expect(problem?.status == refusal.status)
        #expect(problem?.code == refusal.code)
        if !refusal.pointers.isEmpty {
            #expect(Set(problem?.faults.map(\.pointer) ?? []) == Set(refusal.pointers))
        }
    }

    @Test func binaryFormIsRefusedByName() {
        let problem = #expect(throws: GatewayProblem.self) {
            try read(Self.plain, "{}", headers: ["ce-id": "1", "ce-type": "x"])
        }
        #expect(problem?.status == 415)
        #expect(problem?.sentence.english.contains("binary") == true)
    }

    @Test func aStructuredEventKeepsItsDataByteForByte() throws {
        let data = #"{ "b" : 1.0,  "a":[1e2,"\u00e9"] }"#
        let signal = try read(
            "Application/CloudEvents+JSON; charset=UTF-8",
            Self.event(["data": data, "time": #""2026-01-02T03:04:05.1+02:00""#, "comexample": "7"])
        )
        let stored = try JSONDocument(parsing: signal.event).root
        #expect(stored["data"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == data)
        #expect(stored["time"]?.stringValue == "2026-01-02T03:04:05.1+02:00")
        #expect(stored["comexample"]?.int64Value == 7)
        #expect(stored["batutasignalid"]?.stringValue == signal.signalID.lowercased)
        #expect(stored["traceparent"]?.stringValue == signal.traceparent)
        #expect((signal.id, signal.source, signal.type) == ("e1", "/test", "a.b"))
    }

    @Test func anEventKeepsItsOwnTrace() throws {
        let signal = try read(Self.structured, Self.event(["traceparent": #""\#(Self.trace)""#]))
        #expect(signal.traceparent == Self.trace)
        #expect(try JSONDocument(parsing: signal.event).root["traceparent"]?.stringValue == Self.trace)
    }

    @Test func aPlainSignalHasDefaults() throws {
        let signal = try read(Self.plain, #"{"type":"a.b","data":{"n":1}}"#)
        #expect(signal.id == signal.signalID.lowercased)
        #expect(signal.source == "/api/signals")
        let keyed = try read(Self.plain, #"{"type":"a.b"}"#, headers: ["Idempotency-Key": "\"k1\""])
        #expect(keyed.id == "k1")
        let named = try read(
            Self.plain,
            #"{"type":"a.b","id":"mine","source":"/s"}"#,
            headers: ["Idempotency-Key": "k1"]
        )
        #expect((named.id, named.source) == ("mine", "/s"))
    }

    @Test func theDigestTellsTypeAndDataApart() throws {
        let first = try read(Self.plain, #"{"type":"a","data":1}"#)
        #expect(try read(Self.plain, #"{"data":1,"type":"a","id":"x"}"#).digest == first.digest)
        #expect(try read(Self.plain, #"{"type":"a","data":2}"#).digest != first.digest)
        #expect(try read(Self.plain, #"{"type":"b","data":1}"#).digest != first.digest)
    }

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    private static func event(_ changes: [String: String?]) -> String {
        var members: [String: String?] = [
            "specversion": #""1.0""#, "id": #""e1""#, "source": #""/test""#, "type": #""a.b""#,
        ]
        for (name, value) in changes {
            members[name] = .some(value)
        }
        return "{" + members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",")
            + "}"
    }

    private func read(_ type: String?, _ body: String, headers: [String: String] = [:]) throws -> IncomingSignal {
        var fields = HTTPFields()
        fields[.contentType] = type
        for (name, value) in headers {
            fields[try #require(HTTPField.Name(name))] = value
        }
        var generator = SystemRandomNumberGenerator()
        let principal = Principal(
            tokenID: UUIDv7.make(),
            tenant: try #require(Tenant("acme")),
            name: "test",
            role: .sender
        )
        return try SignalReader(limit: 262_144).read(
            GatewayRequest(
                route: .postSignal,
                parameters: [],
                queryText: "",
                headers: fields,
                body: Array(body.utf8),
                requestID: "r",
                trace: .random(using: &generator),
                caller: Caller(principal: principal, token: TokenHash([]), generation: 1)
            )
        )
    }
}
