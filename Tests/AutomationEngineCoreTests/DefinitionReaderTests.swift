import Contracts
import Domain
import JSON
import Templates
import Testing

@testable import AutomationEngineCore

@Suite("Reading of definitions")
struct DefinitionReaderTests {
    private func faults(_ body: String) throws -> [DefinitionFault] {
        let document = try JSONDocument(parsing: Array(body.utf8))
        do {
            _ = try AutomationDraft(document.root, registry: .builtIn)
            return []
        } catch let problem as Problem {
            return problem.errors.map { error in
                DefinitionFault(pointer: JSONPointer(error.pointer) ?? .root, code: error.code, detail: error.detail)
            }
        }
    }

    private func body(
        definition: String = #"{"trigger":{"signalType":"a.b"},"steps":[{"action_key":"data.transform"}]}"#,
        more: String = ""
    ) -> String {
        #"{"automation_key":"one","name":"One","definition":\#(definition)\#(more)}"#
    }

    private func steps(_ step: String) -> String {
        #"{"trigger":{"signalType":"a.b"},"steps":[\#(step)]}"#
    }

    @Test(
        "what an action has no use for is refused, and stays where it is stored",
        arguments: ["data.transform", "signal.emit"],
        [#""retry":{"max_attempts":2}"#, #""timeout":"1s""#, #""idempotent":true"#]
    )
    func useless(action: String, member: String) throws {
        let definition = """
            {"trigger":{"signalType":"a"},
             "steps":[{"action_key":"\(action)","input":{"type":"b"},\(member)}]}
            """
        for origin in [DefinitionReader.Origin.author, .storage] {
            var reader = DefinitionReader(registry: .builtIn, from: origin)
            let root = try JSONDocument(parsing: definition).root
            switch (reader.read(root, at: JSONPointer()), origin) {
            case (.definition, .storage): break
            case (.faults(let faults), .author): #expect(faults.map(\.code) == ["invalid_value"])
            default: Issue.record("\(origin) decides otherwise")
            }
        }
    }

    @Test("a good definition is read whole")
    func good() throws {
        let text = body(
            definition: """
                {"trigger": {"signalType": "github.*"}, "steps": [
                    {"name": "first", "action_key": "data.transform", "input": {"b": 1, "a": [true, null, "x"]}},
                    {"action_key": "data.transform"}
                ]}
                """,
            more: #","description":"Why","status":"draft""#
        )
        let document = try JSONDocument(parsing: Array(text.utf8))
        let draft = try AutomationDraft(document.root, registry: .builtIn)
        #expect(draft.key == "one")
        #expect(draft.description == "Why")
        #expect(draft.compiled.trigger == .family("github"))
        #expect(draft.compiled.steps.map(\.name) == ["first", "step-2"])
        #expect(draft.compiled.steps[0].input.constant == Array(#"{"b":1,"a":[true,null,"x"]}"#.utf8))
        #expect(draft.compiled.steps[1].input.constant == Array("{}".utf8))
    }

    @Test(
        "each fault is named with its place",
        arguments: [
            (#"[]"#, "", "invalid_type"),
            (
                #"{"name":"One","definition":{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform"}]}}"#,
                "/automation_key", "required"
            ),
            (
                #"{"automation_key":"0a3f9f9e-7a0f-4c40-9d8e-1f5b2f7f9d11","name":"One","definition":{}}"#,
                "/automation_key", "invalid_key"
            ),
            (#"{"automation_key":"One","name":"One","definition":{}}"#, "/automation_key", "invalid_key"),
            (#"{"automation_key":"one","name":"","definition":{}}"#, "/name", "invalid_name"),
            (#"{"automation_key":"one","name":"One"}"#, "/definition", "required"),
            (#"{"automation_key":"one","name":"One","definition":[]}"#, "/definition", "invalid_type"),
            (#"{"automation_key":"one","name":"One","definition":{}}"#, "/definition/trigger", "required"),
            (#"{"automation_key":"one","name":"One","definition":{}}"#, "/definition/steps", "required"),
        ]
    )
    func bodyFaults(text: String, pointer: String, code: String) throws {
        let found = try faults(text)
        #expect(found.contains { $0.pointer.description == pointer && $0.code == code }, "\(found)")
    }

    @Test(
        "each fault of a definition is named with its place",
        arguments: [
            (
                #"{"trigger":{},"steps":[{"action_key":"data.transform"}]}"#, "/definition/trigger/signalType",
                "required"
            ),
            (
                #"{"trigger":{"signalType":"*"},"steps":[{"action_key":"data.transform"}]}"#,
                "/definition/trigger/signalType", "invalid_signal_type"
            ),
            (
                #"{"trigger":{"signalType":"a","filter":{"x":[]}},"steps":[{"action_key":"data.transform"}]}"#,
                "/definition/trigger/filter/x", "empty_list"
            ),
            (#"{"trigger":{"signalType":"a"},"steps":[]}"#, "/definition/steps", "empty"),
            (#"{"trigger":{"signalType":"a"},"steps":{}}"#, "/definition/steps", "invalid_type"),
            (#"{"trigger":{"signalType":"a"},"steps":["x"]}"#, "/definition/steps/0", "invalid_type"),
            (#"{"trigger":{"signalType":"a"},"steps":[{}]}"#, "/definition/steps/0/action_key", "required"),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"no.such"}]}"#,
                "/definition/steps/0/action_key", "unknown_action"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","when":{}}]}"#,
                "/definition/steps/0/when", "empty_object"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","retry":{"delay":"1 s"}}]}"#,
                "/definition/steps/0/retry/delay", "invalid_duration"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","timeout":"301s"}]}"#,
                "/definition/steps/0/timeout", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","on_error":{"branch":"x"}}]}"#,
                "/definition/steps/0/on_error/branch", "unknown_branch"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","on_error":{"branch":"b","x":1}}],"branches":{"b":{"steps":[{"action_key":"data.transform"}]}}}"#,
                "/definition/steps/0/on_error", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform"}],"branches":{"b":{"steps":[{"action_key":"data.transform"}]}}}"#,
                "/definition/branches/b", "unused"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","on_error":{"branch":"b"}}],"branches":{"b":{"steps":[{"action_key":"data.transform","on_error":{"branch":"b"}}]}}}"#,
                "/definition/branches/b/steps/0/on_error", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","on_error":{"branch":"b"}}],"branches":{"b":{"steps":[],"then":"stop"}}}"#,
                "/definition/branches/b/then", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform","on_error":{"branch":"b"}}],"branches":{"b":{"steps":[{"name":"x","action_key":"data.transform"}]}}}"#,
                "/definition/branches/b/steps/0/name", "duplicate_name"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","on_error":{"branch":"b"}},{"action_key":"data.transform","on_error":{"branch":"c"}}],"branches":{"b":{"steps":[{"name":"x","action_key":"data.transform"}]},"c":{"steps":[{"action_key":"data.transform","needs":["x"]}]}}}"#,
                "/definition/branches/c/steps/0/needs/0", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform","needs":["x"]}]}"#,
                "/definition/steps/0/needs/0", "unknown_step"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform"},{"action_key":"data.transform","needs":["x","x"]}]}"#,
                "/definition/steps/1/needs/1", "duplicate_name"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform"},{"action_key":"data.transform","needs":[],"input":{"a":"{{ steps.x.output }}"}}]}"#,
                "/definition/steps/1/input/a", "not_needed"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform"},{"action_key":"data.transform","needs":[],"when":{"steps":{"x":{"status":["failed"]}}}}]}"#,
                "/definition/steps/1/when/steps/x", "not_needed"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"x","action_key":"data.transform"},{"action_key":"data.transform","needs":[],"when":{"$or":[{"run":{"dry_run":[true]}},{"steps":{"x":{"status":["failed"]}}}]}}]}"#,
                "/definition/steps/1/when/$or/1/steps/x", "not_needed"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","input":{"a":"{{ item }}"}}]}"#,
                "/definition/steps/0/input/a", "unknown_root"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","for_each":{"items":[1],"concurrency":0}}]}"#,
                "/definition/steps/0/for_each/concurrency", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","for_each":{"items":[1],"max_items":1001}}]}"#,
                "/definition/steps/0/for_each/max_items", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","for_each":{"items":"{{ item }}"}}]}"#,
                "/definition/steps/0/for_each/items", "unknown_root"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","for_each":{"items":["{{ secret:x }}"]}}]}"#,
                "/definition/steps/0/for_each/items", "secret_not_allowed"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","retry":{"non_retryable":[99]}}]}"#,
                "/definition/steps/0/retry/non_retryable/0", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","input":{"a":["{{ steps.later.output }}"]}}]}"#,
                "/definition/steps/0/input/a/0", "unknown_step"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"http.request","input":{"url":"http://0x7f.1/"}}]}"#,
                "/definition/steps/0/input/url", "invalid_url"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"http.request","input":{"method":"GET"}}]}"#,
                "/definition/steps/0/input/url", "required"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"http.request","input":{"url":"https://x.org","headers":{"a":"b\r\nc"}}}]}"#,
                "/definition/steps/0/input/headers", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"signal.emit","input":{}}]}"#,
                "/definition/steps/0/input/type", "required"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","retry":{"max_attempts":0}}]}"#,
                "/definition/steps/0/retry/max_attempts", "invalid_value"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","for_each":"x"}]}"#,
                "/definition/steps/0/for_each", "invalid_type"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","input":{"n":9007199254740993}}]}"#,
                "/definition/steps/0/input/n", "inexact_number"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","input":[]}]}"#,
                "/definition/steps/0/input", "invalid_type"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"A","action_key":"data.transform"}]}"#,
                "/definition/steps/0/name", "invalid_name"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"name":"a","action_key":"data.transform"},{"name":"a","action_key":"data.transform"}]}"#,
                "/definition/steps/1/name", "duplicate_name"
            ),
            (
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform"}],"more":1}"#,
                "/definition/more", "unknown_member"
            ),
        ]
    )
    func definitionFaults(definition: String, pointer: String, code: String) throws {
        let found = try faults(body(definition: definition))
        #expect(found.contains { $0.pointer.description == pointer && $0.code == code }, "\(found)")
    }

    @Test("all faults are named at once")
    func together() throws {
        let found = try faults(
            #"{"automation_key":"A","status":"active","definition":{"trigger":{"signalType":""},"steps":[{"when":1}]}}"#
        )
        #expect(
            Set(found.map(\.pointer.description)) == [
                "/automation_key", "/name", "/status", "/definition/trigger/signalType", "/definition/steps/0/when",
                "/definition/steps/0/action_key",
            ]
        )
    }

    @Test(
        "an input is held against its action's schema, and each defect is told once",
        arguments: [
            ("http.request", #"{"url":"https://x.org","method":"post"}"#, ["wrong_value /method"]),
            ("http.request", #"{"url":"https://x.org","method":"FETCH"}"#, ["invalid_value /method"]),
            ("http.request", #"{"url":"https://x.org","headers":{"a":1}}"#, ["invalid_type /headers"]),
            (
                "http.request", #"{"url":"https://x.org","expect":[99,"{{ signal.data.n }}"]}"#,
                ["invalid_value /expect"]
            ),
            (
                "http.request", #"{"url":5,"expect":"{{ signal.data.n }}","more":1}"#,
                ["unknown_member /more", "invalid_url /url"]
            ),
            ("http.request", #"{"url":"{{ signal.data.url }}","method":"{{ signal.data.m }}"}"#, []),
            ("http.request", #"{}"#, ["required /url"]),
            ("signal.emit", #"{"type":5,"subject":null,"data":null}"#, ["wrong_type /type", "wrong_type /subject"]),
            ("signal.emit", #"{"type":""}"#, ["too_short /type"]),
            ("signal.emit", #"{"subject":1}"#, ["required /type", "wrong_type /subject"]),
            ("signal.emit", #"{"type":"a.b","subject":"{{ steps.x.output }}"}"#, ["unknown_step /subject"]),
            ("notify.webhook", #"{"url":"https://x.org","payload":1,"secret":""}"#, ["invalid_type /secret"]),
            ("flow.delay", #"{"for":"1s","until":"{{ signal.time }}"}"#, ["invalid_value /until"]),
            ("data.transform", #"[1]"#, ["invalid_type "]),
            ("data.transform", #"{"any":[{"thing":1.5}]}"#, []),
        ]
    )
    func schemas(action: String, input: String, expected: [String]) throws {
        let found = try faults(body(definition: steps(#"{"action_key":"\#(action)","input":\#(input)}"#)))
        let place = "/definition/steps/0/input"
        #expect(found.allSatisfy { $0.pointer.text.hasPrefix(place) })
        #expect(found.map { "\($0.code) \($0.pointer.text.dropFirst(place.utf8.count))" }.sorted() == expected.sorted())
    }

    @Test("what was taken once is not held against schemas again")
    func stored() throws {
        let text = steps(
            #"{"action_key":"http.request","input":{"url":"https://x.org","method":"post","body":1}},"#
                + #"{"action_key":"signal.emit","input":{"type":"a.b","subject":7}}"#
        )
        let document = try JSONDocument(parsing: text)
        var stored = DefinitionReader(registry: .builtIn, from: .storage)
        guard case .definition(let definition) = stored.read(document.root, at: .root) else {
            Issue.record("\(stored.faults)")
            return
        }
        #expect(definition.steps.map(\.name) == ["step-1", "step-2"])
        var written = DefinitionReader(registry: .builtIn, from: .author)
        _ = written.read(document.root, at: .root)
        #expect(written.faults.map(\.pointer.text) == ["/steps/0/input/method", "/steps/1/input/subject"])
    }

    @Test("a definition has a bounded number of steps")
    func tooMany() throws {
        let step = #"{"action_key":"data.transform"}"#
        let most = Array(repeating: step, count: DefinitionReader.maximumSteps).joined(separator: ",")
        #expect(try faults(body(definition: steps(most))).isEmpty)
        #expect(try faults(body(definition: steps(most + "," + step))).map(\.code) == ["too_many_steps"])
    }
}
