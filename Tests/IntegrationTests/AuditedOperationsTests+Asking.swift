import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// What requests leave, and what it is held against.
extension AuditedOperationsTests {
    /// Reads an object as clients do; nil where it is not there.
    typealias Look = @Sendable () async throws -> JSONValue?

    /// A request, with what was there before and after it.
    struct Asked: Sendable {
        var name: String
        var requestID: String
        var traceID: String
        var answer: ContractTests.Answer
        /// The object as clients read it.
        var before: JSONValue?
        var after: JSONValue?
        /// Whether anything is stored anew that users change.
        var hasChanged: Bool
        /// The entries that were written with the request, but those of the services' own doing.
        var entries: [JSONValue]
    }

    /// What an entry has to say.
    struct Entry: Sendable {
        var action: String
        var type: String
        var id: JSONValue?
        var version: Int64?
        var before: JSONValue = .null
        var after: JSONValue = .null
        var reason: String?
        /// Where in `before` and `after` personal values stand by their hashes.
        var personal: [String] = []
    }

    /// Sends a request, and sees what it leaves.
    func ask(
        _ method: HTTPMethod,
        _ path: String,
        _ json: String? = nil,
        headers: [String: String] = [:],
        by person: Person?,
        seeing look: Look = { nil }
    ) async throws -> Asked {
        let (requestID, traceID) = (Self.unique("request"), Self.hexadecimal(32))
        let before = (object: try await look(), stored: try await stored(), entries: try await entries(of: requestID))
        var fields = ["X-Request-Id": requestID, "traceparent": "00-\(traceID)-\(Self.hexadecimal(16))-01"]
        if json != nil { fields["Content-Type"] = "application/json" }
        if let person { fields["Authorization"] = "Bearer \(person.token)" }
        let response = try await installation.replica(.gateway).client(headers: [:]).send(
            method,
            path,
            headers: fields.merging(headers) { $1 },
            body: json.map { Array($0.utf8) }
        )
        // Whatever a request changes is committed, with its entry, before it is answered.
        let entries = try await entries(of: requestID)
        let stored = try await stored()
        return Asked(
            name: "\(method) \(path)",
            requestID: requestID,
            traceID: traceID,
            answer: try ContractTests.Answer(response),
            before: before.object,
            after: try await look(),
            hasChanged: stored != before.stored,
            entries: try entries.subtracting(before.entries).map {
                try JSONValue(parsing: Array($0.utf8), limits: .wrapped)
            }
        )
    }

    /// A request was answered with a success, and has left one entry, which is what it has to be and stands in the log.
    func expect(
        _ asked: Asked,
        _ status: Int = 200,
        leaves entry: Entry,
        by person: Person,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await expect(asked, status, leaves: [entry], by: person, sourceLocation: sourceLocation)
    }

    /// A request was answered with a success, and has left one entry for each object that it has changed.
    func expect(
        _ asked: Asked,
        _ status: Int = 200,
        leaves entries: [Entry],
        by person: Person,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let name = Comment(rawValue: asked.name)
        #expect(asked.answer.status == status, "\(asked.name): \(asked.answer.text)", sourceLocation: sourceLocation)
        let actions = asked.entries.map { $0["action"]?.stringValue ?? "" }.sorted()
        try #require(actions == entries.map(\.action).sorted(), name, sourceLocation: sourceLocation)
        for expected in entries {
            let found = asked.entries.first { $0["action"]?.stringValue == expected.action }
            let entry = try #require(found, name, sourceLocation: sourceLocation)
            var object: JSONValue = ["id": expected.id ?? .null, "type": .string(expected.type)]
            if let version = expected.version {
                object = ["id": expected.id ?? .null, "type": .string(expected.type), "version": .number(version)]
            }
            var members: [(name: String, value: JSONValue?)] = [
                ("object", object), ("actor", person.actor), ("tenant", .string(Installation.tenant)),
                ("request_id", .string(asked.requestID)), ("trace_id", .string(asked.traceID)), ("outcome", "done"),
                ("reason", expected.reason.map { .string($0) }),
            ]
            for (member, value) in [("before", expected.before), ("after", expected.after)] {
                members.append((member, value))
            }
            var personal: [String] = []
            for (member, value) in members {
                let said = try await whole(entry[member], at: "/\(member)", &personal)
                #expect(
                    try ContractTests.canonical(said) == ContractTests.canonical(value),
                    "\(asked.name): \(member)",
                    sourceLocation: sourceLocation
                )
            }
            #expect(personal.sorted() == expected.personal.sorted(), name, sourceLocation: sourceLocation)
        }
        try await expectInLog(asked, sourceLocation: sourceLocation)
    }

    /// A request has changed nothing and left nothing.
    func expectNothing(
        _ asked: Asked,
        _ status: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(asked.answer.status == status, "\(asked.name): \(asked.answer.text)", sourceLocation: sourceLocation)
        let name = Comment(rawValue: asked.name)
        let (actions, hasChanged) = (asked.entries.map { $0["action"]?.stringValue }, asked.hasChanged)
        #expect(actions.isEmpty, name, sourceLocation: sourceLocation)
        #expect(!hasChanged, name, sourceLocation: sourceLocation)
        #expect(asked.before == asked.after, name, sourceLocation: sourceLocation)
    }

    /// The log has the entries of a request, each once, byte for byte as they were written.
    private func expectInLog(_ asked: Asked, sourceLocation: SourceLocation) async throws {
        let written = try asked.entries.map { String(decoding: try $0.canonicalBytes(), as: UTF8.self) }.sorted()
        let logged = try await eventually("the entries are in the log") {
            try await installation.texts(
                """
                SELECT convert_from(canonical, 'UTF8') FROM audit.entries
                WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'request_id' = '\(asked.requestID)'
                """
            )
        } until: {
            $0.count >= written.count
        }
        #expect(logged.sorted() == written, Comment(rawValue: asked.name), sourceLocation: sourceLocation)
    }

    /// A value of an entry with what is kept beside the log in the places where it stands by its hash.
    ///
    /// - Parameters:
    ///   - value: The value, or a part of it.
    ///   - path: Where it stands in the entry.
    ///   - personal: Gets the places of parts, which are kept because they are personal.
    /// - Returns: The value as it was.
    /// - Throws: Where the database cannot be asked, or nothing is kept in time.
    private func whole(_ value: JSONValue?, at path: String, _ personal: inout [String]) async throws -> JSONValue? {
        switch value {
        case .object(let members):
            if let kept = value?["$kept"] {
                let body = try await self.kept(kept)
                let isLarge = ["/before", "/after"].contains(path)
                if isLarge { #expect(try body.canonicalBytes().count > 8_192) } else { personal.append(path) }
                return body
            }
            var whole: [JSONMember] = []
            for member in members {
                let value = try await self.whole(member.value, at: "\(path)/\(member.key)", &personal)
                whole.append(JSONMember(member.key, value ?? .null))
            }
            return .object(whole)
        case .array(let elements):
            var whole: [JSONValue] = []
            for element in elements {
                whole.append(try await self.whole(element, at: path, &personal) ?? .null)
            }
            return .array(whole)
        default:
            return value
        }
    }

    /// What is kept beside the log under the hash of a reference.
    private func kept(_ reference: JSONValue) async throws -> JSONValue {
        let hash = reference["sha256"]?.stringValue ?? ""
        let text = try await eventually("the value is kept") {
            try await installation.texts(
                """
                SELECT body FROM audit.kept_bodies WHERE body_hash = decode('\(hash)', 'base64')
                AND sha256(salt || convert_to(body, 'UTF8')) = body_hash
                """
            )
        } until: {
            $0.count == 1
        }[0]
        #expect(reference["bytes"]?.int64Value == Int64(text.utf8.count))
        return try JSONValue(parsing: Array(text.utf8), limits: .wrapped)
    }

    private static func hexadecimal(_ count: Int) -> String {
        (0..<count).map { _ in String(Int.random(in: 1...15), radix: 16) }.joined()
    }

    // MARK: - What is stored

    /// The entries that were written or are in the log, as text, but those of the services' own doing.
    private func entries(of requestID: String) async throws -> Set<String> {
        let written = ["gateway", "engine", "audit"].map { schema in
            """
            SELECT line::jsonb AS e FROM \(schema).outbox,
                regexp_split_to_table(convert_from(body, 'UTF8'), E'\\n') AS line
            WHERE destination = 'audit' AND line <> ''
            """
        }
        let all = written + ["SELECT convert_from(canonical, 'UTF8')::jsonb FROM audit.entries"]
        return Set(
            try await installation.texts(
                """
                SELECT e::text FROM (\(all.joined(separator: " UNION "))) AS w
                WHERE e -> 'actor' ->> 'type' <> 'system' OR e ->> 'request_id' = '\(requestID)'
                """
            )
        )
    }

    /// A hash of everything that users change, but of runs, which go on by themselves.
    private func stored() async throws -> String {
        let tables = [
            "gateway.tenants", "gateway.api_tokens", "gateway.hooks", "engine.automations",
            "engine.automation_versions",
            "engine.automation_states", "engine.automation_actions", "engine.actions", "engine.secrets",
            // One that is not canceled ends by itself.
            "(SELECT replay_id, status = 'canceled' FROM gateway.replays)",
        ]
        let letters = ["gateway", "engine", "audit"].map {
            "(SELECT dead_letter_id, state, redriven_at, discarded_at, discard_reason FROM \($0).dead_letters)"
        }
        let texts = (tables + letters).map {
            "coalesce((SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM \($0) AS t), '')"
        }
        return try await installation.texts("SELECT md5(concat_ws(E'\\n\\n', \(texts.joined(separator: ", "))))")[0]
    }

    // MARK: - What clients read

    /// Looks at a resource.
    func resource(_ path: String) -> Look {
        { [installation] in
            let answer = try await installation.client().get(path)
            guard answer.status != 404 else {
                return nil
            }
            try #require(answer.status == 200, "\(path): \(answer.text)")
            return try JSONValue(parsing: answer.body, limits: .wrapped)
        }
    }

    /// Looks for the item of a list that has a member with this value.
    func item(_ path: String, _ member: String, _ value: String) -> Look {
        { [installation] in
            try await installation.read("\(path)?limit=200")["items"]?.arrayValue?
                .first { $0[member]?.stringValue == value }
        }
    }

    /// Members of a document that are there, in an object of their own; null where there is no document.
    static func part(_ document: JSONValue?, _ names: String..., adding more: [JSONMember] = []) -> JSONValue {
        guard let document else {
            return .null
        }
        return .object(names.compactMap { name in document[name].map { JSONMember(name, $0) } } + more)
    }

    /// The same without the members that are null.
    static func present(_ document: JSONValue?, _ names: String...) -> JSONValue {
        guard let document else {
            return .null
        }
        let members = names.compactMap { name in document[name].map { JSONMember(name, $0) } }
        return .object(members.filter { $0.value != .null })
    }
}
