import Contracts
import Domain
import JSON
import Testing

@testable import AutomationEngineCore

/// What an administrator may register as an action.
@Suite struct ActionRegistrationTests {
    private func faults(_ body: String) throws -> [String] {
        do {
            _ = try ActionRegistration(JSONDocument(parsing: body).root, key: "student.update")
            return []
        } catch let problem as Problem {
            #expect(problem.code == .invalidContent)
            return problem.errors.map { "\($0.code) \($0.pointer)" }
        }
    }

    @Test("a registration is read whole")
    func whole() throws {
        let body = """
            {"title":"Update a student","description":"d","idempotent":true,"timeout":"5s",
             "input_schema":{"type":"object","required":["id"]},"output_schema":{"required":["level"],
             "properties":{"level":{"type":"integer","minimum":3}},"type":"object"},"simulation":"sample",
             "retry":{"max_attempts":7},"endpoint":{"http":{"url":"https://x.org/a","secret":"sign",
             "authorization":"Bearer {{ secret:token }}","headers":{"X-Api-Key":"{{ secret:key }}","X-Note":"n"}}}}
            """
        let read = try ActionRegistration(JSONDocument(parsing: body).root, key: "student.updateNivel")
        #expect(read.declaration.key == "student.updateNivel" && read.declaration.title == "Update a student")
        #expect(read.declaration.isIdempotent && read.declaration.canSimulate)
        #expect(read.declaration.timeout == .seconds(5) && read.declaration.retry.maximumAttempts == 7)
        #expect(read.sample == Array(#"{"level":3}"#.utf8))
        #expect(read.endpoint.secretNames == ["sign", "token", "key"])
        #expect(read.bytes == Array(body.utf8))
        let least = try ActionRegistration(
            JSONDocument(parsing: RemoteActionDesk.body("https://x.org/")).root,
            key: "a.b"
        )
        #expect(!least.declaration.isIdempotent && !least.declaration.canSimulate && least.sample == nil)
        #expect(least.declaration.timeout == .seconds(30) && least.declaration.retry == .standard)
    }

    private static func amqp(_ endpoint: String, more: String = "") -> String {
        #"{"title":"A","input_schema":true,"output_schema":true\#(more),"endpoint":{"amqp":\#(endpoint)}}"#
    }

    @Test("an action over the broker may take long, and names a secret at most")
    func overTheBroker() throws {
        let body = Self.amqp(#"{"secret":"sign"}"#, more: #","timeout":"366d""#)
        let read = try ActionRegistration(JSONDocument(parsing: body).root, key: "student.update")
        #expect(read.declaration.timeout == .seconds(366 * 86_400))
        #expect(read.endpoint.secretNames == ["sign"] && read.secrets.map(\.pointer.text) == ["/endpoint/amqp/secret"])
        let least = try ActionRegistration(JSONDocument(parsing: Self.amqp("{}")).root, key: "a.b")
        #expect(least.endpoint.secretNames.isEmpty && least.declaration.timeout == .seconds(30))
    }

    @Test(
        "each fault is named once with its place, all at once",
        arguments: [
            ("[]", ["invalid_type "]),
            (
                #"{"more":1}"#,
                [
                    "required /endpoint", "required /input_schema", "required /output_schema", "required /title",
                    "unknown_member /more",
                ]
            ),
            (
                RemoteActionDesk.body("https://x.org/", input: #"{"typ":"object"}"#),
                ["unknown_keyword /input_schema/typ"]
            ),
            (
                RemoteActionDesk.body("https://x.org/", output: #"{"properties":{"a":{"format":"colour"}}}"#),
                ["unsupported_value /output_schema/properties/a/format"]
            ),
            (
                RemoteActionDesk.body("https://x.org/", output: "false", more: #","simulation":"sample""#),
                ["no_sample /simulation"]
            ),
            (RemoteActionDesk.body("https://x.org/", more: #","simulation":"some""#), ["invalid_value /simulation"]),
            (
                RemoteActionDesk.body(
                    "https://x.org/",
                    output: #"{"type":"object","properties":{"n":{"type":"integer"}}}"#,
                    more: #","simulation":{"sample":{"n":"{{ n }}"}}"#
                ),
                ["wrong_type /simulation/sample/n"]
            ),
            (
                RemoteActionDesk.body("https://x.org/", more: #","timeout":"301s","retry":{"delay":1},"idempotent":1"#),
                ["invalid_duration /retry/delay", "invalid_type /idempotent", "invalid_value /timeout"]
            ),
            (RemoteActionDesk.body("ftp://x.org/"), ["invalid_url /endpoint/http/url"]),
            (RemoteActionDesk.body("https://u:p@x.org/"), ["invalid_url /endpoint/http/url"]),
            (RemoteActionDesk.body("https://x.org/{{ secret:token }}"), ["invalid_url /endpoint/http/url"]),
            (
                RemoteActionDesk.body("https://x.org/", http: #","authorization":"Bearer abc","secret":"whsec_abc""#),
                ["credential_in_text /endpoint/http/authorization", "invalid_value /endpoint/http/secret"]
            ),
            (
                RemoteActionDesk.body(
                    "https://x.org/",
                    http: #"""
                        ,"headers":{"X-Auth-Token":"abc","Cookie":"a","Authorization":"{{ secret:a }}","Webhook-Id":"1","X-Author":"a"}
                        """#
                ),
                [
                    "credential_in_text /endpoint/http/headers/Cookie",
                    "credential_in_text /endpoint/http/headers/X-Auth-Token",
                    "invalid_value /endpoint/http/headers/Authorization",
                    "invalid_value /endpoint/http/headers/Webhook-Id",
                ]
            ),
            (
                RemoteActionDesk.body("https://x.org/", http: #","headers":{"X-Id":"{{ signal.id }}"}"#),
                ["invalid_reference /endpoint/http/headers/X-Id"]
            ),
            (amqp("{}", more: #","timeout":"367d""#), ["invalid_value /timeout"]),
            (amqp("true"), ["invalid_type /endpoint"]),
            (amqp(#"{"queue":"mine"}"#), ["unknown_member /endpoint/amqp/queue"]),
            (amqp(#"{"secret":"whsec_abc"}"#), ["invalid_value /endpoint/amqp/secret"]),
            (amqp(#"{},"http":{"url":"https://x.org/"}"#), ["invalid_value /endpoint"]),
            (amqp(#"{},"kafka":{}"#), ["unknown_member /endpoint/kafka"]),
            (
                #"{"title":"A","input_schema":true,"output_schema":true,"endpoint":{"kafka":{}}}"#,
                ["invalid_type /endpoint", "unknown_member /endpoint/kafka"]
            ),
            (
                RemoteActionDesk.body("https://x.org/", input: #"{"minimum":9007199254740993}"#),
                ["inexact_number /input_schema/minimum"]
            ),
        ]
    )
    func refused(body: String, expected: [String]) throws {
        #expect(try faults(body).sorted() == expected)
    }

    @Test("a registration is at most 64 KiB long")
    func tooLong() throws {
        let long = #","description":"\#(String(repeating: "a", count: ActionRegistration.maximumBytes))""#
        #expect(try faults(RemoteActionDesk.body("https://x.org/", more: long)) == ["too_large "])
    }

    @Test("a key is area.verb, in no area of the engine's own")
    func keys() {
        for key in ["student.updateNivel", "a.b", "crm-2.add_lead", "https.get"] {
            #expect(ActionKey.isRegistrable(key), "\(key)")
        }
        for key in [
            "", ".", "a", "a.", ".b", "a.b.c", "A.b", "a.1", "1.a", "a b.c", "a.ñ", "http.request", "http.new",
            "flow.x",
            "data.y", "signal.z", "notify.sms", "job.run", "automation.x", "a.\(String(repeating: "b", count: 99))",
        ] {
            #expect(!ActionKey.isRegistrable(key), "\(key)")
        }
        for action in BuiltInAction.allCases {
            #expect(ActionKey.isWellFormed(action.rawValue) && ActionKey.isReserved(action.rawValue))
        }
    }
}
