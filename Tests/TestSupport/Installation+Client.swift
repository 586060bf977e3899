package import Foundation
package import JSON
private import NIOHTTP1
private import Persistence

extension Installation {
    /// The header fields of the administrator.
    package var authorization: [String: String] { ["Authorization": "Bearer \(token)"] }

    /// The administrator's client of one gateway.
    package func client(_ gateway: Int = 0) throws -> HTTPTestClient {
        try replica(.gateway, gateway).client(headers: authorization)
    }

    /// The client of whoever holds a token.
    package func client(token: String) throws -> HTTPTestClient {
        try replica(.gateway).client(headers: ["Authorization": "Bearer \(token)"])
    }

    /// Makes another tenant, which no operation of this release does; answers its administrator's token.
    package func addTenant(_ key: String) async throws -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let token = "bat_" + String((0..<43).compactMap { _ in letters.randomElement() })
        for statement in [
            "INSERT INTO gateway.tenants (tenant, name) VALUES ('\(key)', 'Foreign')",
            """
            INSERT INTO gateway.api_tokens (token_id, tenant, name, role, token_hash, created_by)
            VALUES (gen_random_uuid(), '\(key)', 'admin', 'admin', sha256('\(token)'), 'tests')
            """,
            "UPDATE gateway.identity_generation SET generation = generation + 1",
        ] {
            try await sql.execute(PostgresStatement(statement))
        }
        return token
    }

    // MARK: - Automations

    /// The body of an automation with some `data.transform` steps.
    package static func automation(_ key: String, on signalType: String, steps: Int = 1) -> String {
        let list = (1...steps).map {
            #"{"name":"step-\#($0)","action_key":"data.transform","input":{"text":"señal \#($0)","n":\#($0)}}"#
        }
        let trigger = #""trigger":{"signalType":"\#(signalType)"}"#
        let definition = #"{\#(trigger),"steps":[\#(list.joined(separator: ","))]}"#
        return #"{"automation_key":"\#(key)","name":"Of \#(key)","definition":\#(definition)}"#
    }

    /// Creates an automation and activates it.
    package func automate(_ key: String, on signalType: String, steps: Int = 1) async throws {
        let client = try client()
        let body = Self.automation(key, on: signalType, steps: steps)
        let created = try await client.post("/admin/api/automations", json: body)
        guard created.status == 201 else {
            throw TestSupportError(.commandFailed, "Creating \(key) was answered \(created.status): \(created.text)")
        }
        try await change(key, "activate")
    }

    /// Activates or deactivates an automation.
    package func change(_ key: String, _ verb: String) async throws {
        let answer = try await client().send(.POST, "/admin/api/automations/\(key)/\(verb)")
        guard answer.status == 200 else {
            throw TestSupportError(.commandFailed, "\(verb) \(key) was answered \(answer.status): \(answer.text)")
        }
    }

    // MARK: - Signals

    /// What a sender is told of an accepted signal.
    package struct Receipt: Hashable, Sendable {
        /// Our id of it.
        package let signalID: UUID
        /// Whether it had been accepted before.
        package let isDuplicate: Bool
    }

    /// Posts a CloudEvent that has to be accepted, and notes it in the history.
    @discardableResult
    package func post(id: String, type: String, data: String = "{}", gateway: Int = 0) async throws -> Receipt {
        history.invoked(id)
        let event = SignalBody.event(id: id, type: type, data: data)
        let answer = try await client(gateway).send(.POST, "/api/signals", headers: SignalBody.structured, body: event)
        guard answer.status == 202 else {
            throw TestSupportError(.commandFailed, "Posting \(id) was answered \(answer.status): \(answer.text)")
        }
        let signalID = try SignalBody.signalID(answer)
        history.acknowledged(id, as: signalID)
        let isDuplicate = try JSONValue(parsing: answer.body)["duplicate"]?.boolValue ?? false
        return Receipt(signalID: signalID, isDuplicate: isDuplicate)
    }

    /// Reads a resource that has to be there.
    package func read(_ path: String) async throws -> JSONValue {
        let answer = try await client().get(path)
        guard answer.status == 200 else {
            throw TestSupportError(.commandFailed, "GET \(path) was answered \(answer.status): \(answer.text)")
        }
        return try JSONValue(parsing: answer.body, limits: .wrapped)
    }

    // MARK: - The database

    /// The one number that a statement answers.
    package func count(_ query: String) async throws -> Int {
        let rows = try await sql.execute(PostgresStatement(query))
        return try rows.first?.decode(0, as: Int.self) ?? 0
    }

    /// The texts that a statement answers, of its first column.
    package func texts(_ query: String) async throws -> [String] {
        try await sql.execute(PostgresStatement(query)).map { try $0.decode(0, as: String.self) }
    }
}
