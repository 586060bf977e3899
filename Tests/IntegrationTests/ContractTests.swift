import Contracts
import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The contract of automations, row by row and rule by rule, on one system with real processes.
///
/// Each test bears the name of the row or the rule that it shows. Where a row is shown by a test that was there before, that
/// one bears its name.
@Suite(
    .serialized,
    .requiresServers,
    .installation("contract", [.gateway: 1, .engine: 2, .auditWriter: 1]),
    .timeLimit(.minutes(5))
)
struct ContractTests: SystemTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// What the gateway has answered.
    struct Answer: Sendable {
        var status: Int
        var etag: String?
        var location: String?
        var body: JSONValue
        var text: String

        subscript(name: String) -> JSONValue? { body[name] }

        var code: String? { body["code"]?.stringValue }

        /// Where the faults are that a problem names.
        var pointers: [String] { body["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? [] }

        init(_ response: HTTPTestClient.Response) throws {
            status = response.status
            etag = response.header("ETag")
            location = response.header("Location")
            let type = response.header("Content-Type") ?? ""
            let isJSON = type.contains("json") && !type.contains("jsonl")
            body = isJSON ? try JSONValue(parsing: response.body, limits: .wrapped) : .null
            text = response.text
        }
    }

    static let automations = "/admin/api/automations"

    /// A step without an effect.
    static let transform = #"{"name":"one","action_key":"data.transform","input":{"n":1}}"#

    /// A definition with these steps; without any, with one that has no effect.
    static func definition(on type: String, _ steps: String...) -> String {
        let steps = steps.isEmpty ? transform : steps.joined(separator: ",")
        return #"{"trigger":{"signalType":"\#(type)"},"steps":[\#(steps)]}"#
    }

    /// The body of a creation.
    static func body(_ key: String, _ definition: String, more: String = "") -> String {
        #"{"automation_key":"\#(key)","name":"Of \#(key)","definition":\#(definition)\#(more)}"#
    }

    /// Asks the gateway, as the administrator unless another token is given.
    func ask(
        _ method: HTTPMethod,
        _ path: String,
        _ json: String? = nil,
        headers: [String: String] = [:],
        as token: String? = nil
    ) async throws -> Answer {
        let client = try token.map { try installation.client(token: $0) } ?? installation.client()
        let type = json == nil ? [:] : ["Content-Type": "application/json"]
        return try Answer(
            try await client.send(
                method,
                path,
                headers: type.merging(headers) { $1 },
                body: json.map { Array($0.utf8) }
            )
        )
    }

    /// Creates a draft.
    @discardableResult
    func create(_ key: String, _ definition: String) async throws -> Answer {
        let answer = try await ask(.POST, Self.automations, Self.body(key, definition))
        try #require(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// Executes an automation by hand.
    func execute(
        _ key: String,
        _ mode: String,
        _ context: String? = nil,
        headers: [String: String] = [:],
        as token: String? = nil
    ) async throws -> Answer {
        let context = context.map { #","context":\#($0)"# } ?? ""
        let body = #"{"mode":"\#(mode)"\#(context)}"#
        return try await ask(.POST, "\(Self.automations)/\(key)/execute", body, headers: headers, as: token)
    }

    /// A fresh token: its name, and its text.
    func token(_ role: String) async throws -> (name: String, text: String) {
        let name = Self.unique(role)
        let made = try await ask(.POST, "/admin/api/tokens", #"{"name":"\#(name)","role":"\#(role)"}"#)
        return (name, try #require(made["token"]?.stringValue))
    }

    /// Registers an action of a service's own.
    func register(_ key: String, at url: String, simulation: String = #""sample""#) async throws {
        let body = """
            {"title":"A","input_schema":{"type":"object"},"simulation":\(simulation),
             "output_schema":{"type":"object","required":["level"],"properties":{"level":{"type":"integer","minimum":7}}},
             "endpoint":{"http":{"url":"\(url)"}}}
            """
        let answer = try await ask(.PUT, "/admin/api/actions/\(key)", body)
        try #require(answer.status == 201, "\(answer.text)")
    }

    /// An active automation whose action is withdrawn by force.
    func makeBroken(_ key: String, on type: String) async throws {
        let action = "\(key).act"
        try await register(action, at: "https://example.com/")
        try await automate(key, on: type, steps: #"{"name":"one","action_key":"\#(action)"}"#)
        #expect(try await ask(.DELETE, "/admin/api/actions/\(action)?force=true").status == 204)
    }

    // MARK: - What is stored

    /// Everything that is stored of one automation.
    func stored(_ key: String) async throws -> [String] {
        let ids = "(SELECT automation_id FROM engine.automations WHERE automation_key = '\(key)')"
        return try await installation.texts(
            """
            SELECT a::text FROM engine.automations a WHERE automation_key = '\(key)'
            UNION ALL SELECT v::text FROM engine.automation_versions v WHERE automation_id IN \(ids)
            UNION ALL SELECT s::text FROM engine.automation_states s WHERE automation_id IN \(ids) ORDER BY 1
            """
        )
    }

    /// How many runs an automation has.
    func runs(of key: String) async throws -> Int {
        try await installation.count("SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)'")
    }

    /// The status of an automation.
    func status(_ key: String) async throws -> String? {
        try await installation.read("\(Self.automations)/\(key)")["status"]?.stringValue
    }

    /// The lines of the entries that services have written for the audit log, each as `e`.
    private static let written = ["engine", "gateway"].map {
        """
        SELECT line::jsonb AS e FROM \($0).outbox, regexp_split_to_table(convert_from(body, 'UTF8'), E'\\n') AS line
        WHERE destination = 'audit' AND line <> ''
        """
    }
    .joined(separator: " UNION ALL ")

    /// The entries that a condition over `e` holds for, as they were written with their changes, in their order.
    func written(_ condition: String) async throws -> [JSONValue] {
        try await installation.texts(
            "SELECT e::text FROM (\(Self.written)) AS w WHERE \(condition) ORDER BY e ->> 'time', e ->> 'id'"
        )
        .map { try JSONValue(parsing: Array($0.utf8), limits: .wrapped) }
    }

    /// The entries about an object, once all that was written of it stands in the log.
    func audited(_ object: JSONValue?) async throws -> [JSONValue] {
        let id = try #require(object?.stringValue)
        let entries = try await written("e -> 'object' ->> 'id' = '\(id)'")
        try await eventually("the entries are in the log") {
            try await installation.count(
                """
                SELECT count(*) FROM audit.entries
                WHERE convert_from(canonical, 'UTF8')::jsonb -> 'object' ->> 'id' = '\(id)'
                """
            )
        } until: {
            $0 == entries.count
        }
        return entries
    }

    /// The actions of entries, in their order.
    static func actions(_ entries: [JSONValue]) -> [String] {
        entries.compactMap { $0["action"]?.stringValue }
    }

    /// A value whatever the order of its members; nil where there is none.
    static func canonical(_ value: JSONValue?) throws -> String? {
        try value.map { String(decoding: try $0.canonicalBytes(), as: UTF8.self) }
    }
}
