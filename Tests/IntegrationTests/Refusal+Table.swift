extension Refusal {
    /// Everything that a client with every right is still refused.
    static let all = bodies + events + forms + hooks + automations + definitions + places

    private static let bodies: [Refusal] = [
        .plain("not JSON", "hello", 400, "invalid_json"),
        .plain("no body", "", 400, "invalid_json"),
        .plain("half a body", #"{"type":"x","data":{"#, 400, "invalid_json"),
        .plain("two values", #"{"type":"x"}{}"#, 400, "invalid_json"),
        .plain("a comment", #"{"type":"x" /* no */}"#, 400, "invalid_json"),
        .plain("a name twice", #"{"type":"x","type":"y"}"#, 400, "invalid_json"),
        .plain("a name twice, deep down", #"{"type":"x","data":{"a":{"b":1,"b":2}}}"#, 400, "invalid_json"),
        .plain("a lone surrogate", #"{"type":"x","data":"\ud800"}"#, 400, "invalid_json"),
        .plain("too deep", "{\"type\":\"x\",\"data\":\(nested(70))}", 400, "invalid_json"),
        .plain("much too deep", nested(50_000), 400, "invalid_json"),
        .plain("257 KiB", "{\"type\":\"x\",\"data\":\"\(text(257 * 1_024))\"}", 413, "too_large"),
        .plain("2 MiB", "{\"type\":\"x\",\"data\":\"\(text(2 << 20))\"}", 413, "too_large"),
        .plain("an array", "[]", 400, "invalid_event"),
        .plain("no type", "{}", 400, "invalid_event", at: "/type"),
        .plain("a type that is a number", #"{"type":1}"#, 400, "invalid_event", at: "/type"),
        .plain("an empty type", #"{"type":""}"#, 400, "invalid_event", at: "/type"),
        .plain("a type of 256 bytes", "{\"type\":\"\(text(256))\"}", 400, "invalid_event", at: "/type"),
        .plain("a NUL in the id", #"{"type":"x","id":"a\u0000"}"#, 400, "invalid_event", at: "/id"),
        .plain("an unknown member", #"{"type":"x","target":"y"}"#, 400, "invalid_event", at: "/target"),
        Refusal(
            name: "invalid UTF-8",
            body: Array(#"{"type":"x","data":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8),
            status: 400,
            code: "invalid_json"
        ),
    ]

    private static let events: [Refusal] = [
        .event("an event without an id", #"{"specversion":"1.0","source":"/x","type":"x"}"#, at: ""),
        .event("an event without a source", #"{"specversion":"1.0","id":"1","type":"x"}"#, at: ""),
        .event("an event without a type", #"{"specversion":"1.0","id":"1","source":"/x"}"#, at: ""),
        .event("an event without a version", #"{"id":"1","source":"/x","type":"x"}"#, at: ""),
        .event("an old event", #"{"specversion":"0.3","id":"1","source":"/x","type":"x"}"#, at: "/specversion"),
        .event("an empty id", #"{"specversion":"1.0","id":"","source":"/x","type":"x"}"#, at: "/id"),
        .event(
            "a source that is no URI",
            #"{"specversion":"1.0","id":"1","source":"a b","type":"x"}"#,
            at: "/source"
        ),
        .event(
            "a time that is none",
            #"{"specversion":"1.0","id":"1","source":"/x","type":"x","time":"yesterday"}"#,
            at: "/time"
        ),
        .event(
            "an extension with a capital",
            #"{"specversion":"1.0","id":"1","source":"/x","type":"x","Extension":"1"}"#,
            at: "/Extension"
        ),
        .event(
            "an attribute of ours",
            #"{"specversion":"1.0","id":"1","source":"/x","type":"x","batutasignalid":"1"}"#,
            at: "/batutasignalid"
        ),
        .event(
            "data twice",
            #"{"specversion":"1.0","id":"1","source":"/x","type":"x","data":1,"data_base64":"AA=="}"#
        ),
    ]

    private static let forms: [Refusal] = [
        form("no content type", [:]),
        form("text", ["Content-Type": "text/plain"]),
        form("another charset", ["Content-Type": "application/json; charset=latin1"]),
        form("a batch of another format", ["Content-Type": "application/cloudevents-batch+xml"]),
        form(
            "binary form of another charset",
            [
                "Content-Type": "application/json; charset=latin1", "ce-id": "1", "ce-source": "/x", "ce-type": "x",
                "ce-specversion": "1.0",
            ]
        ),
        binary("a binary event without an id", ["ce-id": nil], at: ""),
        binary("a binary event that says its data's type twice", ["ce-datacontenttype": "x/y"], at: "/datacontenttype"),
        binary("a binary event in broken UTF-8", ["ce-subject": "%C0%A0"], at: "/subject"),
        binary("a binary event whose data is no JSON", [:], body: "{", at: "/data"),
        .batch("a batch that is an object", "{}", at: ""),
        .batch("a batch with one bad event", "[\(sound),{\"id\":1}]", at: "/1/id"),
        .batch("a batch with an attribute of ours", "[\(sound.dropLast()),\"batutax\":1}]", at: "/0/batutax"),
    ]

    private static let sound = #"{"specversion":"1.0","id":"refused","source":"/x","type":"x"}"#

    /// An event in binary form, with header fields changed or left out.
    private static func binary(
        _ name: String,
        _ changes: [String: String?],
        body: String = "{}",
        at pointer: String
    ) -> Refusal {
        var headers: [String: String?] = [
            "Content-Type": "application/json", "ce-id": "1", "ce-source": "/x", "ce-type": "x",
            "ce-specversion": "1.0",
        ]
        headers.merge(changes) { $1 }
        return Refusal(
            name: name,
            headers: headers.compactMapValues(\.self),
            body: Array(body.utf8),
            status: 400,
            code: "invalid_event",
            pointer: pointer
        )
    }

    private static let hooks: [Refusal] = [
        .hook("a hook that is no JSON", "{", 400, "invalid_json"),
        .hook("a hook of nothing", "{}", 422, "invalid_content", at: "/kind"),
        .hook("a hook with a full stop", #"{"name":"a.b","kind":"github"}"#, 422, "invalid_content", at: "/name"),
        .hook("a short secret", #"{"name":"a","kind":"github","secret":"x"}"#, 422, "invalid_content", at: "/secret"),
        .hook(
            "a mapping of GitHub's type",
            #"{"name":"a","kind":"github","mapping":{"type":"/x"}}"#,
            422,
            "invalid_content",
            at: "/mapping/type"
        ),
    ]

    private static let automations: [Refusal] = [
        .automation("an automation that is no JSON", "{", 400, "invalid_json"),
        .automation("an automation that is an array", "[]", 400, "invalid_request"),
        .automation("an automation of 2 MiB", "{\"name\":\"\(text(2 << 20))\"}", 413, "too_large"),
        .automation("an automation of nothing", "{}", 422, "invalid_definition", at: "/automation_key"),
        .automation(
            "a status in the body",
            #"{"automation_key":"refused","name":"R","status":"active","definition":\#(soundDefinition)}"#,
            422,
            "invalid_status_in_body",
            at: "/status"
        ),
        .automation(
            "a key shaped like a UUID",
            #"{"automation_key":"c0ffee00-0000-4000-8000-000000000000","name":"R","definition":\#(soundDefinition)}"#,
            422,
            "invalid_definition",
            at: "/automation_key"
        ),
        .automation(
            "a key with a capital",
            #"{"automation_key":"Refused","name":"R","definition":\#(soundDefinition)}"#,
            422,
            "invalid_definition",
            at: "/automation_key"
        ),
        .automation(
            "no name",
            #"{"automation_key":"refused","definition":\#(soundDefinition)}"#,
            422,
            "invalid_definition",
            at: "/name"
        ),
    ]

    private static let definitions: [Refusal] = [
        .definition(
            "an unregistered action",
            steps(#"{"action_key":"no.such"}"#),
            "unknown_action",
            at: "\(first)/action_key"
        ),
        .definition(
            "a filter with an empty range",
            #"{"trigger":{"signalType":"x","filter":{"a":[{"numeric":[">",5,"<",5]}]}},"steps":[{"action_key":"data.transform"}]}"#,
            at: "/definition/trigger/filter/a/0/numeric"
        ),
        .definition("an empty when", step("when", "{}"), at: "\(first)/when"),
        .definition("no attempt", step("retry", #"{"max_attempts":0}"#), at: "\(first)/retry/max_attempts"),
        .definition("a timeout without a unit", step("timeout", #""10""#), at: "\(first)/timeout"),
        .definition("an unknown on_error", step("on_error", #""ignore""#), at: "\(first)/on_error"),
        .definition("for_each", step("for_each", #""x""#), "invalid_definition", at: "\(first)/for_each"),
        .definition(
            "an unknown branch",
            step("on_error", #"{"branch":"x"}"#),
            "invalid_definition",
            at: "\(first)/on_error/branch"
        ),
        .definition(
            "a template that does not end",
            step("input", #"{"a":["{{ signal.data.x"]}"#),
            at: "\(first)/input/a/0"
        ),
        .definition(
            "a step that is not there",
            step("input", #"{"a":"{{ steps.b.output }}"}"#),
            at: "\(first)/input/a"
        ),
        .definition("an unknown secret", step("input", #"{"a":"{{ secret:none }}"}"#), at: "\(first)/input/a"),
        .definition("a number that no double keeps", step("input", #"{"a":9007199254740993}"#), at: "\(first)/input/a"),
        .definition("no steps", #"{"trigger":{"signalType":"x"},"steps":[]}"#, at: "/definition/steps"),
        .definition("no trigger", #"{"steps":[{"action_key":"data.transform"}]}"#, at: "/definition/trigger"),
        .definition(
            "a star in the middle",
            soundDefinition.replacing(#""x""#, with: #""x.*.y""#),
            at: "/definition/trigger/signalType"
        ),
        .definition("a step that is a text", steps(#""step""#), at: first),
        .definition("an unknown member of a step", step("loop", "1"), at: "\(first)/loop"),
    ]

    private static let places: [Refusal] = [
        .bare("GET", "/", 404, "not_found"),
        .bare("GET", "/api", 404, "not_found"),
        .bare("GET", "/api/signals/", 404, "not_found"),
        .bare("POST", "/api/runs/x/actions/execute", 404, "not_found"),
        .bare("GET", "/api/signals?type=", 400, "invalid_request"),
        .bare("GET", "/api/signals?since=today", 400, "invalid_request"),
        .bare("GET", "/api/signals?from=2026-01-01", 400, "invalid_request"),
        .bare("GET", "/api/signals?status=done", 400, "invalid_request"),
        .bare("GET", "/api/signals?cursor=x", 400, "invalid_cursor"),
        .bare("GET", "/api/hooks/acme.none", 405, "method_not_allowed"),
        .bare("POST", "/api/hooks/acme.none", 401, "unauthenticated"),
        .bare("GET", "/admin/api/hooks/none", 404, "not_found"),
        .bare("DELETE", "/admin/api/hooks/none", 404, "not_found"),
        .bare("POST", "/admin/api/hooks/none/rotate", 404, "not_found"),
        .bare("PUT", "/api/signals", 405, "method_not_allowed"),
        .bare("DELETE", "/api/runs", 405, "method_not_allowed"),
        .bare("PUT", "/admin/api/automations", 405, "method_not_allowed"),
        .bare("GET", "/api/signals/no-uuid", 404, "not_found"),
        .bare("GET", "/api/signals/01900000-0000-7000-8000-000000000000", 404, "not_found"),
        .bare("GET", "/api/runs/01900000-0000-7000-8000-000000000000", 404, "not_found"),
        .bare("GET", "/api/runs/01900000-0000-7000-8000-000000000000/steps/x/output", 404, "not_found"),
        .bare("GET", "/admin/api/automations/no-such", 404, "not_found"),
        .bare("POST", "/admin/api/automations/no-such/activate", 404, "not_found"),
        .bare("POST", "/admin/api/automations/no-such/deactivate", 404, "not_found"),
        .bare("POST", "/admin/api/automations/no-such/pause", 404, "not_found"),
        .bare("POST", "/admin/api/automations/no-such/resume", 404, "not_found"),
        .bare("DELETE", "/admin/api/tokens/01900000-0000-7000-8000-000000000000", 404, "not_found"),
        .bare("GET", "/api/runs?limit=0", 400, "invalid_request"),
        .bare("GET", "/api/runs?status=done", 400, "invalid_request"),
        .bare("GET", "/api/runs?from=yesterday", 400, "invalid_request"),
        .bare("GET", "/api/runs/recent?until=2026-01-01", 400, "invalid_request"),
    ]

    private static let first = "/definition/steps/0"
    private static let soundDefinition = steps(#"{"action_key":"data.transform"}"#)

    private static func steps(_ steps: String) -> String {
        #"{"trigger":{"signalType":"x"},"steps":[\#(steps)]}"#
    }

    private static func step(_ member: String, _ value: String) -> String {
        steps(#"{"action_key":"data.transform","\#(member)":\#(value)}"#)
    }

    private static func form(_ name: String, _ headers: [String: String]) -> Refusal {
        Refusal(
            name: name,
            headers: headers,
            body: Array(#"{"type":"x"}"#.utf8),
            status: 415,
            code: "unsupported_media_type"
        )
    }

    private static func text(_ length: Int) -> String { String(repeating: "x", count: length) }

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
}
