import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import TestSupport
import Testing

@testable import AutomationEngineCore

/// The rows "edit", "list, get, versions, diff, validate without saving, delete a draft" of the contract's operations.
@Suite("Editing an automation", .requiresServers, .timeLimit(.minutes(2)))
struct AutomationEditingTests {
    /// The service of automations, asked as the gateway asks it.
    private struct Desk {
        let engine: TestEngine
        let service: AutomationService
        let tenant: String

        init(_ engine: TestEngine, tenant: String = "acme") {
            self.engine = engine
            self.tenant = tenant
            service = AutomationService(database: engine.database, lanes: engine.lanes, registry: .builtIn)
        }

        private var context: RequestContext {
            RequestContext(tenant: tenant, actor: AuditActor(type: .admin, id: "ada"), requestID: "r1")
        }

        /// Creates a draft on a type and answers it.
        @discardableResult
        func create(_ key: String = "orders", on type: String = "a.b") async throws -> JSONView {
            let body = #"{"automation_key":"\#(key)","name":"One","definition":\#(Self.definition(on: type))}"#
            return try await ask(service.create, body)["automation"] ?? JSONDocument(parsing: "null").root
        }

        static func definition(on type: String = "a.b", step: String = "one") -> String {
            #"{"trigger":{"signalType":"\#(type)"},"steps":[{"name":"\#(step)","action_key":"data.transform"}]}"#
        }

        /// Edits with the body that a client sends.
        func update(_ body: String, ifMatch: String? = nil, key: String = "orders") async throws -> JSONView {
            let condition = ifMatch.map { #","if_match":"\#($0)""# } ?? ""
            return try await ask(service.update, #"{"automation":"\#(key)"\#(condition),"body":\#(body)}"#)
        }

        func restore(_ version: Int, _ body: String) async throws -> JSONView {
            try await ask(service.restore, #"{"automation":"orders","restored":\#(version),"body":\#(body)}"#)
        }

        func ask(
            _ operation: (JSONDocument, RequestContext) async throws -> Reply,
            _ body: String = #"{"automation":"orders"}"#
        ) async throws -> JSONView {
            try JSONDocument(parsing: try await operation(JSONDocument(parsing: body), context).body).root
        }

        /// The audit entries so far, in their order.
        func entries() async throws -> [JSONView] {
            try await engine.texts(
                """
                SELECT convert_from(body, 'UTF8') FROM engine.outbox
                WHERE destination = 'audit' ORDER BY first_seq
                """
            )
            .flatMap { $0.split(separator: "\n") }
            .map { try JSONDocument(parsing: String($0)).root }
            .filter { $0["object"]?["type"]?.stringValue == "automation" }
        }

        /// Everything that a refusal must not change.
        func stored() async throws -> [String] {
            try await engine.texts(
                """
                SELECT a::text FROM engine.automations a UNION ALL SELECT v::text FROM engine.automation_versions v
                UNION ALL SELECT s::text FROM engine.automation_states s
                UNION ALL SELECT g::text FROM engine.registry_generation g ORDER BY 1
                """
            )
        }

        /// The keys of the automations that a signal would start now.
        func awake(_ type: String) async throws -> [String] {
            let catalogue = AutomationCatalogue(
                database: engine.database,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            )
            try await catalogue.refresh()
            return catalogue.current.matches(try Fixtures.signal(type)).map { "\($0.key) \($0.version)" }
        }
    }

    private func code(_ body: () async throws -> Void) async throws -> ProblemCode? {
        do {
            try await body()
            return nil
        } catch let problem as Problem {
            return problem.code
        }
    }

    @Test("Broken: an active automation whose definition no longer validates is marked, audited and told why")
    func unreadableDefinition() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(#"{"trigger":{"signalType":"a.b"},"steps":[{"action_key":"data.transform"}]}"#)
            let catalogue = AutomationCatalogue(
                database: desk.engine.database,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            )
            let broken = BrokenDefinitions(
                found: catalogue.unreadable,
                lanes: desk.engine.lanes,
                logger: ServiceDatabase.logger
            )
            try await catalogue.refresh()
            // A definition that a release before took and this one does not.
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.automations SET definition = replace(definition, 'data.transform', 'data.gone'),
                    changed_generation = changed_generation + 1;
                UPDATE engine.registry_generation SET generation = generation + 1
                """
            )
            try await catalogue.refresh()
            var found = catalogue.unreadable.makeAsyncIterator()
            let definition = try #require(await found.next())
            // A newer release has been here: what this one cannot read may be its own.
            try await desk.engine.storage.executeAsSuperuser(
                "INSERT INTO engine.schema_migrations (version, name, checksum) VALUES (999, 'newer', sha256('x'))"
            )
            try await broken.mark(definition)
            let status = "SELECT status FROM engine.automations"
            #expect(try await desk.engine.texts(status) == ["active"])
            try await desk.engine.storage.executeAsSuperuser("DELETE FROM engine.schema_migrations WHERE version = 999")
            try await broken.mark(definition)
            try await broken.mark(definition)
            #expect(try await desk.engine.texts(status) == ["broken"])
            let reasons = try await desk.engine.texts("SELECT broken_reason FROM engine.automations")
            #expect(reasons.first?.contains("/steps/0/action_key") ?? false)
            #expect(try await desk.entries("break") == ["automation-engine active broken"])
            try await catalogue.refresh()
            #expect(catalogue.current.matches(try Fixtures.signal()).isEmpty)
        }
    }

    @Test("Operation edit: adds a version, keeps what is absent, and tells before and after in the audit log")
    func edits() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            let first = try await desk.update(#"{"version":1,"name":"Two","description":"text"}"#)
            #expect(first["automation"]?["version"]?.int64Value == 2)
            #expect(first["automation"]?["name"]?.stringValue == "Two")
            #expect(first["automation"]?["description"]?.stringValue == "text")
            #expect(first["automation"]?["status"]?.stringValue == "draft")
            let etag = try #require(first["etag"]?.stringValue)
            let body = #"{"definition":\#(Desk.definition(step: "other")),"description":null}"#
            let second = try await desk.update(body, ifMatch: etag)
            #expect(second["automation"]?["version"]?.int64Value == 3)
            #expect(second["automation"]?["name"]?.stringValue == "Two")
            #expect(second["automation"]?["description"]?.isNull == true)
            #expect(second["automation"]?["definition"]?["steps"]?[0]?["name"]?.stringValue == "other")
            #expect(second["etag"]?.stringValue != etag)

            let entry = try #require(try await desk.entries().last)
            #expect(entry["action"]?.stringValue == "update")
            for (member, version, description, step) in [("before", 2, "text", "one"), ("after", 3, nil, "other")] {
                let value = try #require(entry[member])
                #expect(value["version"]?.int64Value == Int64(version))
                #expect(value["name"]?.stringValue == "Two")
                #expect(value["description"]?.stringValue == description)
                #expect(value["definition"]?["steps"]?[0]?["name"]?.stringValue == step)
            }
            #expect(try await desk.entries().map { $0["action"]?.stringValue } == ["create", "update", "update"])
        }
    }

    @Test("Operation edit: a stale version gets 409, a stale If-Match 412, neither sent 428, and nothing changes")
    func conflicts() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            let old = try #require(try await desk.ask(desk.service.get)["etag"]?.stringValue)
            _ = try await desk.update(#"{"version":1,"name":"Two"}"#)
            let before = try await desk.stored()
            #expect(try await code { _ = try await desk.update(#"{"version":1,"name":"X"}"#) } == .staleVersion)
            #expect(try await code { _ = try await desk.update(#"{"version":3,"name":"X"}"#) } == .staleVersion)
            #expect(
                try await code { _ = try await desk.update(#"{"name":"X"}"#, ifMatch: old) } == .preconditionFailed
            )
            #expect(
                try await code { _ = try await desk.update(#"{"version":2,"name":"X"}"#, ifMatch: old) }
                    == .preconditionFailed
            )
            #expect(try await code { _ = try await desk.update(#"{"name":"X"}"#) } == .preconditionRequired)
            #expect(try await code { _ = try await desk.restore(1, "{}") } == .preconditionRequired)
            #expect(try await code { _ = try await desk.restore(1, #"{"version":1}"#) } == .staleVersion)
            #expect(try await desk.stored() == before)
            _ = try await desk.update(#"{"name":"X"}"#, ifMatch: "*")
        }
    }

    @Test("Operation edit: of two edits of the same version one is refused")
    func race() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            let codes = try await withThrowingTaskGroup(of: ProblemCode?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await code { _ = try await desk.update(#"{"version":1,"name":"N\#(number)"}"#) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 1)
            #expect(codes.count { $0 == .staleVersion } == 7)
            #expect(try await desk.ask(desk.service.get)["automation"]?["version"]?.int64Value == 2)
        }
    }

    @Test(
        "Operation edit: what it does not know is refused, with the pointer of every fault",
        arguments: [
            (#"{"version":1,"status":"active"}"#, ProblemCode.invalidStatusInBody, ["/status"]),
            (#"{"version":1,"status":"draft"}"#, .invalidStatusInBody, ["/status"]),
            (#"{"version":1,"automation_key":"other"}"#, .invalidDefinition, ["/automation_key"]),
            (#"{"version":0}"#, .invalidDefinition, ["/version"]),
            (#"{"version":"1","name":""}"#, .invalidDefinition, ["/version", "/name"]),
            (
                #"{"version":1,"name":null,"definition":{"trigger":{"signalType":"a"},"steps":[{"action_key":"no"}]}}"#,
                .unknownAction, ["/name", "/definition/steps/0/action_key"]
            ),
            ("[]", .invalidDefinition, [""]),
        ]
    )
    func refusals(body: String, code: ProblemCode, pointers: [String]) async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            let before = try await desk.stored()
            let problem = try await #require(throws: Problem.self) { _ = try await desk.update(body, ifMatch: "*") }
            #expect(problem.code == code)
            #expect(problem.errors.map(\.pointer) == pointers)
            #expect(try await desk.stored() == before)
        }
    }

    @Test("Operation edit: of an active automation it is in force at once, and a broken one becomes a draft")
    func status() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            _ = try await desk.ask(desk.service.activate)
            #expect(try await desk.awake("a.b") == ["orders 1"])
            let edited = try await desk.update(#"{"version":1,"definition":\#(Desk.definition(on: "c.d"))}"#)
            #expect(edited["automation"]?["status"]?.stringValue == "active")
            #expect(try await desk.awake("a.b") == [])
            #expect(try await desk.awake("c.d") == ["orders 2"])
            _ = try await desk.ask(desk.service.deactivate)
            let deprecated = try await desk.update(#"{"version":2,"name":"Three"}"#)
            #expect(deprecated["automation"]?["status"]?.stringValue == "deprecated")
            #expect(try await desk.awake("c.d") == [])

            try await engine.storage.executeAsSuperuser(
                "UPDATE engine.automations SET status = 'broken', broken_reason = 'an action is gone'"
            )
            let healed = try await desk.update(#"{"version":3,"name":"Four"}"#)
            #expect(healed["automation"]?["status"]?.stringValue == "draft")
            #expect(healed["automation"]?["broken_reason"] == nil)
            let entry = try #require(try await desk.entries().last)
            #expect(entry["before"]?["status"]?.stringValue == "broken")
            #expect(entry["after"]?["status"]?.stringValue == "draft")
        }
    }

    @Test("Operation versions, diff: every version is kept to be read, compared and restored")
    func versions() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            _ = try await desk.update(#"{"version":1,"name":"Two"}"#)
            _ = try await desk.update(
                #"{"version":2,"definition":\#(Desk.definition(on: "c.d", step: "x")),"description":"d"}"#
            )
            let list = try await desk.ask(desk.service.versions, #"{"automation":"orders","limit":2}"#)
            #expect(list["items"]?.elements.map { $0["version"]?.int64Value } == [3, 2])
            #expect(list["items"]?[0]?["created_by"]?.stringValue == "ada")
            let rest = try await desk.ask(
                desk.service.versions,
                #"{"automation":"orders","limit":2,"cursor":"\#(list["next"]?.stringValue ?? "")"}"#
            )
            #expect(rest["items"]?.elements.map { $0["version"]?.int64Value } == [1])
            #expect(rest["next"]?.isNull == true)

            let first = try await desk.ask(desk.service.version, #"{"automation":"orders","version":1}"#)
            #expect(first["name"]?.stringValue == "One")
            #expect(first["definition"]?["trigger"]?["signalType"]?.stringValue == "a.b")
            for missing in [0, 4] {
                let question = #"{"automation":"orders","version":\#(missing)}"#
                #expect(try await code { _ = try await desk.ask(desk.service.version, question) } == .notFound)
            }

            let diff = try await desk.ask(desk.service.diff, #"{"automation":"orders","from":1,"to":3}"#)
            let changes = diff["changes"]?.elements.map { change in
                "\(change["op"]?.stringValue ?? "") \(change["pointer"]?.stringValue ?? "")"
            }
            #expect(
                changes == [
                    "replace /name", "replace /description", "replace /definition/trigger/signalType",
                    "replace /definition/steps/0/name",
                ]
            )
            let last = try await desk.ask(desk.service.diff)
            #expect(last["from"]?.int64Value == 2 && last["to"]?.int64Value == 3)
            let same = try await desk.ask(desk.service.diff, #"{"automation":"orders","from":2,"to":2}"#)
            #expect(same["changes"]?.count == 0)

            let restored = try await desk.restore(1, #"{"version":3}"#)
            #expect(restored["automation"]?["version"]?.int64Value == 4)
            #expect(restored["automation"]?["name"]?.stringValue == "One")
            #expect(restored["automation"]?["description"]?.isNull == true)
            let entry = try #require(try await desk.entries().last)
            #expect(entry["after"]?["restored_from"]?.int64Value == 1)
            #expect(try await code { _ = try await desk.restore(9, #"{"version":4}"#) } == .notFound)
        }
    }

    @Test("Operation validate: without saving, all faults at once")
    func validates() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            let sound = try await desk.ask(desk.service.validate, #"{"definition":\#(Desk.definition())}"#)
            #expect(sound["valid"]?.boolValue == true)
            #expect(sound["errors"]?.count == 0)
            let faulty = try await desk.ask(
                desk.service.validate,
                """
                {"automation_key":"NO","nonsense":1,"definition":{"trigger":{"signalType":""},"steps":[
                 {"action_key":"nothing.such"}]}}
                """
            )
            #expect(faulty["valid"]?.boolValue == false)
            #expect(
                faulty["errors"]?.elements.map { $0["pointer"]?.stringValue } == [
                    "/nonsense", "/automation_key", "/definition/trigger/signalType", "/definition/steps/0/action_key",
                ]
            )
            let secret = try await desk.ask(
                desk.service.validate,
                """
                {"definition":{"trigger":{"signalType":"a"},"steps":[
                 {"action_key":"data.transform","input":{"x":"{{ secret:unknown }}"}}]}}
                """
            )
            #expect(secret["errors"]?[0]?["code"]?.stringValue == "unknown_secret")
            #expect(try await engine.texts("SELECT count(*)::text FROM engine.automations") == ["0"])
            #expect(try await engine.texts("SELECT count(*)::text FROM engine.outbox") == ["0"])
        }
    }

    @Test("Operation delete: a draft can be deleted, nothing else can, and its key stays taken")
    func deletes() async throws {
        try await TestEngine.with { engine in
            let desk = Desk(engine)
            try await desk.create()
            _ = try await desk.ask(desk.service.activate)
            #expect(try await code { _ = try await desk.ask(desk.service.delete) } == .wrongState)
            _ = try await desk.ask(desk.service.deactivate)
            #expect(try await code { _ = try await desk.ask(desk.service.delete) } == .wrongState)
            try await desk.create("draft")
            let stale = #"{"automation":"draft","if_match":"other"}"#
            #expect(try await code { _ = try await desk.ask(desk.service.delete, stale) } == .preconditionFailed)
            _ = try await desk.ask(desk.service.delete, #"{"automation":"draft"}"#)
            let entry = try #require(try await desk.entries().last)
            #expect(entry["action"]?.stringValue == "delete")
            #expect(entry["before"]?["name"]?.stringValue == "One")
            #expect(entry["after"]?.isNull == true)
            for operation in [desk.service.get, desk.service.delete, desk.service.activate, desk.service.versions] {
                let question = #"{"automation":"draft"}"#
                #expect(try await code { _ = try await desk.ask(operation, question) } == .notFound)
            }
            #expect(try await code { try await desk.create("draft") } == .keyTaken)
            let list = try await desk.ask(desk.service.list, "{}")
            #expect(list["items"]?.elements.map { $0["automation_key"]?.stringValue } == ["orders"])
        }
    }

    @Test("another tenant's automation is not there")
    func tenants() async throws {
        try await TestEngine.with { engine in
            try await Desk(engine).create()
            let other = Desk(engine, tenant: "other")
            let before = try await other.stored()
            #expect(try await code { _ = try await other.update(#"{"version":1,"name":"X"}"#) } == .notFound)
            #expect(try await code { _ = try await other.restore(1, #"{"version":1}"#) } == .notFound)
            for operation in [
                other.service.delete, other.service.versions, other.service.diff, other.service.get,
            ] {
                #expect(try await code { _ = try await other.ask(operation) } == .notFound)
            }
            #expect(try await other.stored() == before)
        }
    }
}
