import Contracts
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
    private static let batched = "application/cloudevents-batch+json"
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
        Refusal("application/cloudevents", "{}", 415, "unsupported_media_type"),
        Refusal("application/cloudevents-batch+xml", "[]", 415, "unsupported_media_type"),
        Refusal("application/cloudevents-batch+json; charset=utf-16", "[]", 415, "unsupported_media_type"),
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
        Refusal(batched, "[", 400, "invalid_json"),
        Refusal(batched, "{}", 400, "invalid_event", [""]),
        Refusal(batched, event([:]), 400, "invalid_event", [""]),
        Refusal(
            batched,
            "[\(event([:])),\(event(["id": nil, "time": "1"])),7]",
            400,
            "invalid_event",
            ["/1/time", "/1", "/2"]
        ),
        Refusal(
            batched,
            "[\(event(["batutax": "1", "id": #""\#(long)""#])),\(event([:])),\(event(["source": #""\#(long)""#]))]",
            400,
            "invalid_event",
            ["/0/batutax", "/0/id", "/2/source"]
        ),
        Refusal(
            batched,
            "[\(event([:])),\(event(["data": "\"\(String(repeating: "x", count: 262_144))\""]))]",
            413,
            "too_large",
            ["/1"]
        ),
    ]

    @Test(arguments: refusals)
    func whatIsRefused(refusal: Refusal) throws {
        let problem = #expect(throws: GatewayProblem.self) { try order(refusal.type, refusal.body) }
        #expect(problem?.status == refusal.status)
        #expect(problem?.code == refusal.code)
        if !refusal.pointers.isEmpty {
            #expect(Set(problem?.faults.map(\.pointer) ?? []) == Set(refusal.pointers))
        }
    }

    @Test(
        arguments: [
            (["ce-id": ""], "{}", 400, ["/id"]), (["ce-batutax": "1"], "{}", 400, ["/batutax"]),
            (["ce-source": long], "{}", 400, ["/source"]), (["ce-x": "%C0%A0"], "{", 400, ["/x", "/data"]),
            (["Content-Type": "application/json; charset=latin1"], "{}", 415, []),
            (["Content-Type": "application/x"], String(repeating: "x", count: 200_000), 413, []),
        ] as [([String: String], String, Int, [String])]
    )
    func whatIsRefusedInBinaryForm(headers: [String: String], body: String, status: Int, pointers: [String]) throws {
        let problem = #expect(throws: GatewayProblem.self) {
            try read(Self.plain, body, headers: Self.binary.merging(headers) { $1 })
        }
        #expect(problem?.status == status)
        #expect(problem?.faults.map(\.pointer) == pointers)
    }

    @Test func aBinaryEventIsStoredInStructuredForm() throws {
        let headers = Self.binary.merging(["ce-subject": "caf%C3%A9", "Idempotency-Key": "k"]) { $1 }
        let signal = try read("application/json", #" {"n" : 1.0} "#, headers: headers)
        #expect((signal.id, signal.source, signal.type) == ("e1", "/test", "a.b"))
        let stored = try JSONDocument(parsing: signal.event).root
        #expect(stored["subject"]?.stringValue == "café")
        #expect(stored["batutasignalid"]?.stringValue == signal.signalID.lowercased)
        #expect(stored["data"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == #"{"n" : 1.0}"#)
        let untyped = try read(nil, "", headers: Self.binary)
        #expect(try JSONDocument(parsing: untyped.event).root["data"] == nil)
    }

    @Test func aBatchIsReadInItsOrder() throws {
        let ids = ["b", "a", "b"]
        let events = ids.map { Self.event(["id": "\"\($0)\""]) }
        let signals = try signals(Self.batched, "[\(events.joined(separator: ","))]")
        #expect(signals.map(\.id) == ids)
        #expect(Set(signals.map(\.signalID)).count == 3)
        #expect(try self.signals(Self.batched, "[]").isEmpty)
    }

    /// The header fields of a minimal event in binary form.
    private static let binary = ["ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/test", "ce-type": "a.b"]

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

    @Test(
        "the event names whoever has posted it, unless the token can do nothing but send",
        arguments: [(structured, event([:])), (plain, #"{"type":"a.b"}"#)]
    )
    func requesterIsStamped(type: String, body: String) throws {
        for (role, name) in [(Role.sender, nil), (.operator, "test"), (.author, "test"), (.admin, "test")] {
            let stored = try JSONDocument(parsing: try read(type, body, role: role).event).root
            #expect(stored["batutarequester"]?.stringValue == name)
        }
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

    private func read(
        _ type: String?,
        _ body: String,
        headers: [String: String] = [:],
        role: Role = .sender
    ) throws -> IncomingSignal {
        guard case .one(let signal) = try order(type, body, headers: headers, role: role) else {
            throw GatewayProblem(.internalError)
        }
        return signal
    }

    private func signals(_ type: String, _ body: String) throws -> [IncomingSignal] {
        guard case .batch(let signals) = try order(type, body) else {
            throw GatewayProblem(.internalError)
        }
        return signals
    }

    private func order(
        _ type: String?,
        _ body: String,
        headers: [String: String] = [:],
        role: Role = .sender
    ) throws -> SignalOrder {
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
            role: role
        )
        return try SignalReader(limits: BodyLimits()).read(
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
