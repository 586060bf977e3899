import Contracts
import JSON
import TestSupport
import Testing

@testable import AutomationEngineCore

/// The registry of actions: registering, replacing and withdrawing, and what becomes of automations.
@Suite("Registered actions", .requiresServers, .timeLimit(.minutes(2)))
struct RemoteActionTests {
    private static let body = RemoteActionDesk.body("https://x.org/level")
    private static let step = #"{"name":"one","action_key":"student.level","input":{"id":7}}"#

    @Test("an action is registered, read, replaced and withdrawn, each guarded by its state and told once")
    func registering() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            let first = try await desk.put("student.level", Self.body)
            #expect(first["created"]?.boolValue == true)
            #expect(first["action"]?["version"]?.int64Value == 1)
            let etag = try #require(first["etag"]?.stringValue)
            let (generation, count) = (try await desk.generation(), try await desk.entries().count)
            #expect(try await desk.told(since: 0) == ["action create"])

            let other = RemoteActionDesk.body("https://x.org/other", more: #","idempotent":true"#)
            #expect(
                try await desk.problem { try await desk.put("student.level", other) }?.code == .preconditionRequired
            )
            let stale = try await desk.problem { try await desk.put("student.level", other, ifMatch: "action-9") }
            #expect(stale?.code == .preconditionFailed)
            #expect(
                try await desk.problem { try await desk.put("new.one", other, ifMatch: "*") }?.code
                    == .preconditionFailed
            )
            #expect(
                try await desk.problem { try await desk.withdraw("student.level", ifMatch: "x") }?.code
                    == .preconditionFailed
            )
            // The same in another spelling is no change.
            let same = try await desk.put(
                "student.level",
                Self.body.replacing(":", with: " : ").replacing("https : ", with: "https:"),
                ifMatch: etag
            )
            #expect(same["etag"]?.stringValue == etag && same["created"]?.boolValue == false)
            #expect(try await desk.generation() == generation)
            #expect(try await desk.entries().count == count)

            let second = try await desk.put("student.level", other, ifMatch: etag)
            #expect(second["action"]?["version"]?.int64Value == 2)
            #expect(second["action"]?["endpoint"]?["http"]?["url"]?.stringValue == "https://x.org/other")
            #expect(try await desk.told(since: count) == ["action update"])
            let entry = try #require(try await desk.entries().last)
            #expect(entry["before"]?["endpoint"]?["http"]?["url"]?.stringValue == "https://x.org/level")
            #expect(entry["after"]?["endpoint"]?["http"]?["url"]?.stringValue == "https://x.org/other")
            #expect(try await desk.generation() != generation)

            try await desk.withdraw("student.level")
            #expect(try await desk.told(since: count) == ["action delete", "action update"])
            let question = #"{"action_key":"student.level"}"#
            #expect(try await desk.problem { _ = try await desk.ask(desk.actions.get, question) }?.code == .notFound)
            #expect(try await desk.problem { try await desk.withdraw("student.level") }?.code == .notFound)
            let again = try await desk.put("student.level", Self.body)
            #expect(again["created"]?.boolValue == true && again["etag"]?.stringValue == "action-4")
        }
    }

    @Test("the list has the engine's own and the tenant's actions in one order, in pages, and no other tenant's")
    func lists() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            for key in ["zoo.feed", "crm.add_lead", "crm.addLead"] { try await desk.put(key, Self.body) }
            try await RemoteActionDesk(engine, tenant: "other").put("crm.other", Self.body)
            var keys: [String] = []
            var cursor = ""
            repeat {
                let page = try await desk.ask(desk.actions.list, #"{"limit":2\#(cursor)}"#)
                keys += page["items"]?.elements.compactMap { $0["action_key"]?.stringValue } ?? []
                cursor = page["next"]?.stringValue.map { #","cursor":"\#($0)""# } ?? ""
            } while !cursor.isEmpty
            #expect(
                keys == (BuiltInAction.allCases.map(\.rawValue) + ["crm.addLead", "crm.add_lead", "zoo.feed"]).sorted()
            )
            let own = try await desk.ask(desk.actions.get, #"{"action_key":"http.request"}"#)["action"]
            #expect(own?["kind"]?.stringValue == "built_in" && own?["timeout"]?.stringValue == "30s")
            #expect(own?["retry"]?["max_attempts"]?.int64Value == 3 && own?["simulates"]?.boolValue == true)
            let delay = try await desk.ask(desk.actions.get, #"{"action_key":"flow.delay"}"#)["action"]
            #expect(delay?["timeout"]?.isNull == true && delay?["run_type"]?.stringValue == "automation")
            let other = #"{"action_key":"crm.other"}"#
            #expect(try await desk.problem { _ = try await desk.ask(desk.actions.get, other) }?.code == .notFound)
            #expect(try await desk.problem { try await desk.withdraw("crm.other") }?.code == .notFound)
        }
    }

    @Test("the engine's own actions and areas cannot be taken or withdrawn, nor secrets named that are not there")
    func refusals() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            for key in ["http.request", "http.mine", "nonsense", "a.b.c"] {
                let problem = try await desk.problem { try await desk.put(key, Self.body) }
                #expect(problem?.errors.map(\.code) == ["invalid_key"], "\(key)")
            }
            #expect(try await desk.problem { try await desk.withdraw("http.request") }?.code == .wrongState)
            let body = RemoteActionDesk.body(
                "https://x.org/",
                http: #","secret":"sign","authorization":"{{ secret:token }}""#
            )
            let problem = try await desk.problem { try await desk.put("a.b", body) }
            #expect(problem?.errors.map(\.pointer) == ["/endpoint/http/authorization", "/endpoint/http/secret"])
            #expect(Set(problem?.errors.map(\.code) ?? []) == ["unknown_secret"])
            #expect(try await desk.told(since: 0).isEmpty)
        }
    }

    @Test("definitions name the actions of their own tenant, and are held against their schemas")
    func definitions() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            let schema = #"{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}"#
            try await RemoteActionDesk(engine, tenant: "other").put("student.level", Self.body)
            #expect(try await desk.problem { try await desk.create("early", Self.step) }?.code == .unknownAction)
            try await desk.put("student.level", RemoteActionDesk.body("https://x.org/", input: schema))
            let problem = try await desk.problem {
                try await desk.create(
                    "wrong",
                    #"{"action_key":"student.level","input":{"id":"7"}}"#,
                    #"{"action_key":"student.level","input":{}}"#
                )
            }
            #expect(problem?.errors.map(\.code) == ["wrong_type", "missing_member"])
            #expect(problem?.errors.map(\.pointer) == ["/definition/steps/0/input/id", "/definition/steps/1/input"])
            try await desk.create(
                "right",
                Self.step,
                #"{"action_key":"student.level","input":{"id":"{{ signal.data.id }}"}}"#
            )
            try await desk.activate("right")
            #expect(try await desk.awake().map(\.key) == ["right"])
            let registry = try await ActionRepository(database: engine.database)
                .registry(.builtIn, tenant: "acme", deadline: .now + .seconds(20))
            let published = DefinitionSchema.automation(registry)
            let keys = published["$defs"]?["step"]?["properties"]?["action_key"]?["enum"]?.arrayValue
            #expect(keys?.contains("student.level") == true)
        }
    }

    @Test(
        "Registry: a withdrawal that active automations stand against is refused, and forced it breaks them, and only them"
    )
    func withdrawing() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            for key in ["active-1", "active-2", "draft"] { try await desk.create(key, Self.step) }
            try await desk.create("plain", #"{"action_key":"data.transform"}"#)
            for key in ["active-1", "active-2", "plain"] { try await desk.activate(key) }
            let (generation, count) = (try await desk.generation(), try await desk.entries().count)
            let problem = try await desk.problem { try await desk.withdraw("student.level") }
            #expect(problem?.code == .wrongState && problem?.errors.map(\.code) == ["in_use", "in_use"])
            #expect(problem?.detail.contains(#""active-1", "active-2""#) == true)
            #expect(problem?.detailES.contains(#""active-1", "active-2""#) == true)
            #expect(try await desk.generation() == generation)
            #expect(try await desk.awake().map(\.key) == ["active-1", "active-2", "plain"])

            try await desk.withdraw("student.level", force: true)
            let broken = #"broken: The action "student.level" was withdrawn."#
            #expect(try await desk.status("active-1") == broken)
            #expect(try await desk.status("active-2") == broken)
            #expect(try await desk.status("draft") == "draft")
            #expect(try await desk.awake().map(\.key) == ["plain"])
            #expect(try await desk.told(since: count) == ["action delete", "automation break", "automation break"])
            let entry = try #require(try await desk.entries().last)
            #expect(entry["before"]?["status"]?.stringValue == "active")
            #expect(entry["after"]?["broken_reason"]?.stringValue == #"The action "student.level" was withdrawn."#)
            let states = try await engine.texts(
                """
                SELECT count(*)::text FROM engine.automation_states s, engine.registry_generation g
                WHERE s.status = 'broken' AND s.generation = g.generation AND s.signal_type = 'a.b'
                """
            )
            #expect(states == ["2"])
            #expect(try await desk.problem { try await desk.activate("active-1") }?.code == .wrongState)
            #expect(try await desk.problem { try await desk.activate("draft") }?.code == .unknownAction)
        }
    }

    @Test("Broken: registering an action again heals nothing; an edit that is valid does")
    func healing() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            try await desk.create("one", Self.step)
            try await desk.activate("one")
            try await desk.withdraw("student.level", force: true)
            let edit = #"{"automation":"one","body":{"version":1,"name":"Two"}}"#
            #expect(
                try await desk.problem { _ = try await desk.ask(desk.automations.update, edit) }?.code == .unknownAction
            )
            try await desk.put("student.level", Self.body)
            #expect(try await desk.status("one").hasPrefix("broken"))
            #expect(try await desk.problem { try await desk.activate("one") }?.code == .wrongState)
            #expect(try await desk.awake().isEmpty)
            _ = try await desk.ask(desk.automations.update, edit)
            #expect(try await desk.status("one") == "draft")
            try await desk.activate("one")
            #expect(try await desk.awake().map(\.key) == ["one"])
            // What no longer names the action does not stand against its withdrawal.
            let other = #"{"trigger":{"signalType":"a.b"},"steps":[{"action_key":"data.transform"}]}"#
            _ = try await desk.ask(
                desk.automations.update,
                #"{"automation":"one","body":{"version":2,"definition":\#(other)}}"#
            )
            try await desk.withdraw("student.level")
            #expect(try await desk.status("one") == "active")
        }
    }

    @Test("a new input schema that an active automation does not suit is refused, and forced it breaks that one")
    func replacing() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            try await desk.create("suits", Self.step)
            try await desk.create(
                "does-not",
                #"{"action_key":"http.request","input":{"url":"https://x.org"}}"#,
                #"{"action_key":"student.level","input":{"id":"seven"}}"#
            )
            for key in ["suits", "does-not"] { try await desk.activate(key) }
            // What was taken once, and would not be taken now, is none of this action's business.
            try await engine.storage.executeAsSuperuser(
                "UPDATE engine.automations SET definition = replace(definition, '\"url\"', '\"method\":\"post\",\"url\"')"
            )
            let strict = RemoteActionDesk.body(
                "https://x.org/",
                input: #"{"type":"object","properties":{"id":{"type":"integer"}}}"#
            )
            let problem = try await desk.problem { try await desk.put("student.level", strict, ifMatch: "*") }
            #expect(problem?.code == .wrongState && problem?.errors.count == 1)
            #expect(problem?.errors[0].detail.hasPrefix("does-not: ") == true)
            #expect(try await desk.awake().count == 2)
            try await desk.put("student.level", strict, ifMatch: "*", force: true)
            #expect(try await desk.status("suits") == "active")
            let reason = "no longer takes the input at /definition/steps/1/input/id: The value must be an integer."
            #expect(try await desk.status("does-not").hasSuffix(reason))
            #expect(try await desk.awake().map(\.key) == ["suits"])
        }
    }

    @Test("a step of a branch stands against a change like any other")
    func branches() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            let definition = """
                {"trigger":{"signalType":"a.b"},"steps":[
                 {"action_key":"http.request","input":{"url":"https://x.org"},"on_error":{"branch":"undo"}}],
                 "branches":{"undo":{"steps":[\(Self.step)]}}}
                """
            try await desk.create("one", definition: definition)
            try await desk.activate("one")
            let strict = RemoteActionDesk.body("https://x.org/", input: #"{"maxProperties":0}"#)
            let problem = try await desk.problem { try await desk.put("student.level", strict, ifMatch: "*") }
            #expect(problem?.errors[0].detail.contains("/definition/branches/undo/steps/0/input:") == true)
            #expect(try await desk.problem { try await desk.withdraw("student.level") }?.code == .wrongState)
            try await desk.withdraw("student.level", force: true)
            #expect(try await desk.status("one").hasPrefix("broken"))
        }
    }

    @Test("a replica knows a changed action once it has refreshed, though no automation has changed")
    func catalogue() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            try await desk.create("one", Self.step)
            try await desk.activate("one")
            let catalogue = AutomationCatalogue(
                database: engine.database,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            )
            func step() async throws -> CompiledAutomation.Step? {
                try await catalogue.refresh()
                return catalogue.current.matches(try Fixtures.signal("a.b")).first?.steps.first
            }
            #expect(try await step()?.isIdempotent == false)
            let body = RemoteActionDesk.body("https://x.org/", more: #","idempotent":true,"timeout":"7s""#)
            try await desk.put("student.level", body, ifMatch: "*")
            let changed = try #require(try await step())
            #expect(changed.isIdempotent && changed.timeout == .seconds(7) && changed.action.hasEffect)
            #expect("\(catalogue.current.generation)" == (try await desk.generation()))
        }
    }

    @Test("of activations and a withdrawal at once, none leaves an active automation without its action")
    func race() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", Self.body)
            for number in 0..<6 { try await desk.create("one-\(number)", Self.step) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask { _ = try await desk.problem { try await desk.activate("one-\(number)") } }
                }
                group.addTask { try await desk.withdraw("student.level", force: true) }
                try await group.waitForAll()
            }
            let active = try await engine.texts("SELECT automation_key FROM engine.automations WHERE status = 'active'")
            #expect(active.isEmpty)
        }
    }
}
