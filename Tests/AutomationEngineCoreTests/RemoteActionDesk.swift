import Contracts
import FoundationEssentials
import JSON
import Messaging
import Persistence
import Secrets
import TestSupport
import Testing

@testable import AutomationEngineCore

/// The services of actions and automations, asked as the gateway asks them.
struct RemoteActionDesk {
    let engine: TestEngine
    let tenant: String
    let actions: ActionService
    let automations: AutomationService

    init(_ engine: TestEngine, tenant: String = "acme") {
        self.engine = engine
        self.tenant = tenant
        actions = ActionService(database: engine.database, lanes: engine.lanes)
        automations = AutomationService(database: engine.database, lanes: engine.lanes, registry: .builtIn)
    }

    private var context: RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .admin, id: "ada"), requestID: "r1")
    }

    /// A registration that is called at a URL.
    static func body(
        _ url: String,
        input: String = #"{"type":"object"}"#,
        output: String = "true",
        http: String = "",
        more: String = ""
    ) -> String {
        #"{"title":"A","input_schema":\#(input),"output_schema":\#(output)\#(more),"endpoint":{"http":{"url":"\#(url)"\#(http)}}}"#
    }

    func ask(
        _ operation: (JSONDocument, RequestContext) async throws -> Reply,
        _ body: String
    ) async throws -> JSONView {
        try JSONDocument(parsing: try await operation(JSONDocument(parsing: body), context).body).root
    }

    @discardableResult
    func put(
        _ key: String,
        _ body: String,
        ifMatch: String? = nil,
        force: Bool = false
    ) async throws -> JSONView {
        let condition = ifMatch.map { #","if_match":"\#($0)""# } ?? ""
        return try await ask(actions.put, #"{"action_key":"\#(key)"\#(condition),"force":\#(force),"body":\#(body)}"#)
    }

    func withdraw(_ key: String, ifMatch: String? = nil, force: Bool = false) async throws {
        let condition = ifMatch.map { #","if_match":"\#($0)""# } ?? ""
        _ = try await ask(actions.delete, #"{"action_key":"\#(key)"\#(condition),"force":\#(force)}"#)
    }

    /// Creates a draft on `a.b` whose steps are these.
    func create(_ key: String, _ steps: String...) async throws {
        try await create(
            key,
            definition: #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
        )
    }

    func create(_ key: String, definition: String) async throws {
        _ = try await ask(
            automations.create,
            #"{"automation_key":"\#(key)","name":"One","definition":\#(definition)}"#
        )
    }

    func activate(_ key: String) async throws {
        _ = try await ask(automations.activate, #"{"automation":"\#(key)"}"#)
    }

    /// `status`, and the reason where it is broken.
    func status(_ key: String) async throws -> String {
        let automation = try await ask(automations.get, #"{"automation":"\#(key)"}"#)["automation"]
        let reason = automation?["broken_reason"]?.stringValue.map { ": \($0)" } ?? ""
        return (automation?["status"]?.stringValue ?? "none") + reason
    }

    /// The problem that something is refused with.
    func problem(_ body: () async throws -> Void) async throws -> Problem? {
        do {
            try await body()
            return nil
        } catch let problem as Problem {
            return problem
        }
    }

    /// The automations that a signal would start now, as a replica knows them that has just looked.
    func awake(_ type: String = "a.b") async throws -> [CompiledAutomation] {
        let catalogue = AutomationCatalogue(
            database: engine.database,
            registry: .builtIn,
            logger: ServiceDatabase.logger
        )
        try await catalogue.refresh()
        return catalogue.current.matches(try Fixtures.signal(type, tenant: tenant))
    }

    /// The audit entries so far, as `type action id`.
    func entries() async throws -> [JSONView] {
        try await engine.texts(
            "SELECT convert_from(body, 'UTF8') FROM engine.outbox WHERE destination = 'audit' ORDER BY first_seq"
        )
        .flatMap { $0.split(separator: "\n") }
        .map { try JSONDocument(parsing: String($0)).root }
    }

    /// What the entries since a count say happened.
    func told(since count: Int) async throws -> [String] {
        try await entries().dropFirst(count).map { entry in
            "\(entry["object"]?["type"]?.stringValue ?? "") \(entry["action"]?.stringValue ?? "")"
        }
        .sorted()
    }

    func generation() async throws -> String {
        try await engine.texts("SELECT generation::text FROM engine.registry_generation")[0]
    }

    /// Seals a secret for the tenant.
    func seal(_ name: String, _ text: String, with keys: SecretKeyRing) async throws {
        let sealed = try keys.seal(Secret(text), for: .engine(tenant: tenant, name: name, version: 1))
        _ = try await engine.database.execute(
            PostgresStatement(
                """
                INSERT INTO engine.secrets (tenant, name, version, sealed, created_at, updated_at, updated_by)
                VALUES ($1, $2, 1, $3, now(), now(), 'ada')
                """,
                [.text(tenant), .text(name), .bytes(sealed.bytes)]
            )
        )
    }
}
