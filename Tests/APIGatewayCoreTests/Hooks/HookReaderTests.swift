import Contracts
import Crypto
import Domain
import HTTPTypes
import JSON
import ServiceRuntime
import Testing

@testable import APIGatewayCore

@Suite struct HookReaderTests {
    /// A webhook, and the one event that it becomes.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var hook: String
        var headers: [String: String] = [:]
        var body: String
        var attributes: [String: String]
        var data: String?

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(
            name: "an event of GitHub with an action",
            hook: #"{"name":"h","kind":"github"}"#,
            headers: ["X-GitHub-Event": "issues", "X-GitHub-Delivery": "d-1"],
            body: #" {"action":"opened", "repository":{"full_name":"acme/x"}} "#,
            attributes: [
                "type": "github.issues.opened", "id": "d-1", "subject": "acme/x", "source": "/api/hooks/acme.h",
            ],
            data: #"{"action":"opened", "repository":{"full_name":"acme/x"}}"#
        ),
        Row(
            name: "a ping in a form",
            hook: #"{"name":"h","kind":"github","type_prefix":"gh.main"}"#,
            headers: ["X-GitHub-Event": "ping", "Content-Type": "application/x-www-form-urlencoded"],
            body: "payload=%7B%22zen%22%3A+%22a%26b%22%7D",
            attributes: [
                "type": "gh.main.ping"
            ],
            data: #"{"zen": "a&b"}"#
        ),
        Row(
            name: "an event of Stripe",
            hook: #"{"name":"h","kind":"stripe","secret":"whsec_0123456789abcdef"}"#,
            body: #"{"id":"evt_1","type":"charge.failed","created":1700000000,"data":{"object":{"id":"ch_1"}}}"#,
            attributes: [
                "type": "stripe.charge.failed", "id": "evt_1", "subject": "ch_1",
                "time": "2023-11-14T22:13:20.000000Z",
            ]
        ),
        Row(
            name: "a message of Standard Webhooks",
            hook: #"{"name":"h","kind":"standard-webhooks"}"#,
            headers: ["webhook-id": "msg_1"],
            body: #"{"type":"user.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{}}"#,
            attributes: ["type": "user.created", "id": "msg_1", "time": "2022-11-03T20:26:10.344522Z"]
        ),
        Row(
            name: "a message without a type and with a time that is none",
            hook: #"{"name":"h","kind":"standard-webhooks"}"#,
            headers: ["webhook-id": "msg_2"],
            body: #"{"timestamp":"yesterday"}"#,
            attributes: ["type": "webhook", "id": "msg_2"]
        ),
        Row(
            name: "a generic body by its mapping",
            hook: """
                {"name":"h","kind":"generic","type_prefix":"shop","mapping":{"type":"/kind","id":"/no","source":"/from",
                 "subject":"/about","time":"/at","data":"/payload","keep":["/a","/b/c"]}}
                """,
            body: """
                {"kind":"sold","no":17,"from":"urn:shop","about":"x","at":"2026-01-02T03:04:05Z",
                 "payload":{"a":1.0,"b":{"c":[2],"d":3},"e":4}}
                """,
            attributes: [
                "type": "shop.sold", "id": "17", "source": "urn:shop", "subject": "x", "time": "2026-01-02T03:04:05Z",
            ],
            data: #"{"a":1.0,"b":{"c":[2]}}"#
        ),
        Row(
            name: "a generic body without a mapping",
            hook: #"{"name":"h","kind":"generic"}"#,
            body: "[1]",
            attributes: ["type": "webhook"],
            data: "[1]"
        ),
    ]

    @Test(arguments: rows)
    func becomesAnEvent(row: Row) throws {
        let signal = try #require(try read(row.hook, row.headers, Array(row.body.utf8)).first)
        let event = try JSONDocument(parsing: signal.event).root
        var expected = row.attributes.merging(["source": "/api/hooks/acme.h"]) { own, _ in own }
        if row.name.contains("form") || row.name.contains("without a mapping") {
            expected["id"] = SHA256.hash(data: Array(row.body.utf8)).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            .joined()
        }
        for (name, value) in expected {
            #expect(event[name]?.stringValue == value, "\(name)")
        }
        for name in ["subject", "time"] where expected[name] == nil {
            #expect(event[name] == nil)
        }
        #expect(event["batutasignalid"]?.stringValue == signal.signalID.lowercased)
        #expect(event["datacontenttype"]?.stringValue == "application/json")
        if let data = row.data {
            #expect(event["data"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == data)
        }
    }

    @Test func everyAlertIsASignalOfItsOwn() throws {
        let body = """
            {"receiver":"r","status":"firing","groupKey":"{}:{a=\\"b\\"}","groupLabels":{"a":"b"},"commonLabels":{},
             "commonAnnotations":{},"externalURL":"http://am","version":"4","truncatedAlerts":0,"new":1,"alerts":[
              {"status":"firing","labels":{"alertname":"Disk"},"startsAt":"2026-01-02T03:04:05Z","endsAt":"0001-01-01T00:00:00Z",
               "fingerprint":"f1"},
              {"status":"resolved","labels":{},"startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:00:00Z",
               "fingerprint":"f1","receiver":"own"}]}
            """
        let signals = try read(#"{"name":"h","kind":"alertmanager"}"#, [:], Array(body.utf8))
        #expect(signals.map(\.type) == ["alertmanager.firing", "alertmanager.resolved"])
        let identity = #"["{}:{a=\"b\"}","f1","firing","2026-01-02T03:04:05Z"]"#
        #expect(signals[0].id == HookReader.hexadecimal(SHA256.hash(data: Array(identity.utf8))))
        #expect(signals[0].id != signals[1].id)
        let events = try signals.map { try JSONDocument(parsing: $0.event).root }
        #expect(events.map { $0["subject"]?.stringValue } == ["Disk", nil])
        #expect(events.map { $0["time"]?.stringValue } == ["2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z"])
        #expect(events[0]["data"]?["groupLabels"]?["a"]?.stringValue == "b")
        #expect(events.map { $0["data"]?["receiver"]?.stringValue } == ["r", "own"])
        #expect(events[0]["data"]?["new"] == nil)
        let empty = try read(#"{"name":"h","kind":"alertmanager"}"#, [:], Array(#"{"groupKey":"g","alerts":[]}"#.utf8))
        #expect(empty.isEmpty)
    }

    @Test(
        arguments: [
            ("github", ["X-GitHub-Event": "push"], "{", 400, []), ("github", [:], "{}", 400, []),
            ("github", ["X-GitHub-Event": "a b"], "{}", 400, []),
            ("github", ["X-GitHub-Event": "push", "X-GitHub-Delivery": "é"], "{}", 400, []),
            ("github", ["X-GitHub-Event": "push", "Content-Type": "text/plain"], "{}", 415, []),
            (
                "github", ["X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"], "a=b", 400,
                []
            ),
            ("generic", ["Content-Type": "application/x-www-form-urlencoded"], "payload=%7B%7D", 415, []),
            (
                "github", ["X-GitHub-Event": "push"], #"{"action":"\#(String(repeating: "a", count: 250))"}"#, 400,
                ["/type"]
            ),
            ("generic", [:], "\"\(String(repeating: "x", count: 262_200))\"", 413, []),
            ("generic", [:], String(repeating: "[", count: 64) + String(repeating: "]", count: 64), 400, []),
            ("alertmanager", [:], "{}", 400, ["/groupKey", "/alerts"]),
            (
                "alertmanager", [:], #"{"groupKey":"g","alerts":[{"status":"firing"},7]}"#, 400,
                [
                    "/alerts/0/startsAt", "/alerts/0/fingerprint", "/alerts/1/status", "/alerts/1/startsAt",
                    "/alerts/1/fingerprint",
                ]
            ),
        ] as [(String, [String: String], String, Int, [String])]
    )
    func whatIsRefused(kind: String, headers: [String: String], body: String, status: Int, pointers: [String]) {
        let problem = #expect(throws: GatewayProblem.self) {
            try read(#"{"name":"h","kind":"\#(kind)"}"#, headers, Array(body.utf8))
        }
        #expect(problem?.status == status)
        #expect(problem?.faults.map(\.pointer) == pointers)
    }

    @Test func whatIsTooLargeIsCutDownByItsMapping() throws {
        let body = #"{"id":"x","text":"\#(String(repeating: "x", count: 4 << 20))"}"#
        let hook = #"{"name":"h","kind":"github","mapping":{"keep":["/id"]}}"#
        let signal = try #require(try read(hook, ["X-GitHub-Event": "push"], Array(body.utf8)).first)
        #expect(try JSONDocument(parsing: signal.event).root["data"]?.count == 1)
    }

    @Test func manyAlertsCannotGrowWithoutBound() throws {
        let alert = #"{"status":"firing","startsAt":"s","fingerprint":"f"}"#
        let body = """
            {"groupKey":"g","externalURL":"\(String(repeating: "x", count: 200_000))",
             "alerts":[\(Array(repeating: alert, count: 200).joined(separator: ","))]}
            """
        let problem = #expect(throws: GatewayProblem.self) {
            try read(#"{"name":"h","kind":"alertmanager"}"#, [:], Array(body.utf8))
        }
        #expect(problem?.status == 413)
    }

    private func read(_ hook: String, _ headers: [String: String], _ body: [UInt8]) throws -> [IncomingSignal] {
        var fields: HTTPFields = [.contentType: "application/json"]
        for (name, value) in headers {
            fields[try #require(HTTPField.Name(name))] = value
        }
        let request = try HookRequest(try JSONDocument(parsing: hook).root)
        let hook = Hook(
            hookID: UUIDv7.make(),
            tenant: try TestGateway.tenant(),
            request: request,
            createdAt: .now(),
            createdBy: "test"
        )
        var generator = SystemRandomNumberGenerator()
        let delivery = HookDelivery(
            source: hook.source,
            headers: fields,
            requestID: "r",
            trace: .random(using: &generator)
        )
        return try HookReader(hook: hook, delivery: delivery, body: body, limits: BodyLimits()).signals()
    }
}
