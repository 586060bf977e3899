import Foundation
import JSON
import Persistence
import TestSupport
import Testing

extension IntegrationTests {
    @Test(
        "Bad input: each is refused with its status, code and pointer, in two languages, and nothing is stored",
        arguments: Refusal.all
    )
    func isRefused(_ refusal: Refusal) async throws {
        let before = try await stored()
        let client = try installation.client()
        let english = try await client.send(
            refusal.method,
            refusal.path,
            headers: refusal.headers,
            body: refusal.body
        )
        let problem = try expectProblem(english, refusal.status, refusal.code)
        if let pointer = refusal.pointer {
            let pointers = problem["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? []
            #expect(pointers.contains(pointer), "\(english.text)")
        }
        let spanish = try await client.send(
            refusal.method,
            refusal.path,
            headers: refusal.headers.merging(["Accept-Language": "es-AR, en;q=0.5"], uniquingKeysWith: { $1 }),
            body: refusal.body
        )
        let translated = try expectProblem(spanish, refusal.status, refusal.code)
        #expect(spanish.header("Content-Language") == "es")
        #expect(translated["detail"] != problem["detail"], "\(spanish.text)")
        #expect(try await stored() == before, "a refusal stores nothing")
        #expect(installation.all.filter { !$0.isRunning }.map(\.name) == [])
    }

    @Test func whoMayNotIsRefused() async throws {
        let signal = ("POST", "/api/signals", #"{"type":"x"}"#)
        let creation = ("POST", "/admin/api/automations", Installation.automation("refused", on: "x"))
        let reading = ("GET", "/api/runs", String?.none)
        let tokens = ("GET", "/admin/api/tokens", String?.none)
        let hooks = ("GET", "/admin/api/hooks", String?.none)
        let newHook = ("POST", "/admin/api/hooks", #"{"name":"refused","kind":"github"}"#)
        let table: [(role: String, method: String, path: String, body: String?, status: Int)] = [
            ("sender", reading.0, reading.1, nil, 403), ("sender", creation.0, creation.1, creation.2, 403),
            ("sender", tokens.0, tokens.1, nil, 403), ("viewer", signal.0, signal.1, signal.2, 403),
            ("viewer", reading.0, reading.1, nil, 200), ("auditor", signal.0, signal.1, signal.2, 403),
            ("auditor", reading.0, reading.1, nil, 200), ("operator", creation.0, creation.1, creation.2, 403),
            ("operator", tokens.0, tokens.1, nil, 403), ("author", tokens.0, tokens.1, nil, 403),
            ("viewer", hooks.0, hooks.1, nil, 403), ("operator", hooks.0, hooks.1, nil, 200),
            ("author", newHook.0, newHook.1, newHook.2, 403), ("sender", "GET", "/api/signals", nil, 403),
            ("viewer", "GET", "/api/signals", nil, 200),
        ]
        for row in table {
            let client = try installation.client(token: try await token(of: row.role))
            let answer = try await client.send(
                row.method,
                row.path,
                headers: row.body == nil ? [:] : ["Content-Type": "application/json"],
                body: row.body.map { Array($0.utf8) }
            )
            #expect(answer.status == row.status, "\(row.role) \(row.method) \(row.path): \(answer.text)")
            if row.status == 403 { try expectProblem(answer, 403, "forbidden") }
        }
        #expect(
            try await installation.count("SELECT count(*) FROM engine.automations WHERE automation_key = 'refused'")
                == 0
        )
    }

    @Test func whoIsNobodyIsRefused() async throws {
        let before = try await stored()
        let gateway = try installation.replica(.gateway)
        let unknown = "bat_" + String(repeating: "A", count: 43)
        for value in [nil, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer \(unknown)", installation.token] {
            let client = gateway.client(headers: value.map { ["Authorization": $0] } ?? [:])
            for path in ["/api/signals", "/admin/api/automations", "/admin/api/tokens"] {
                let answer = try await client.post(path, json: #"{"type":"x"}"#)
                try expectProblem(answer, 401, "unauthenticated")
                #expect(answer.header("WWW-Authenticate") != nil)
            }
        }
        #expect(try await stored() == before)
    }

    @Test func anExpiredTokenIsRefused() async throws {
        let body = #"{"name":"short","role":"sender","expires_in":"1s"}"#
        let made = try await installation.client().post("/admin/api/tokens", json: body)
        let token = try #require(try JSONValue(parsing: made.body)["token"]?.stringValue)
        let client = try installation.client(token: token)
        #expect(try await client.post("/api/signals", json: #"{"type":"short.lived"}"#).status == 202)
        try await eventually("the token has expired") {
            try await client.post("/api/signals", json: #"{"type":"short.lived"}"#).status == 401
        }
    }

    @Test func aSecondAutomationOfAKeyIsRefused() async throws {
        let key = Self.unique("taken")
        let client = try installation.client()
        let body = Installation.automation(key, on: "x")
        #expect(try await client.post("/admin/api/automations", json: body).status == 201)
        let before = try await stored()
        try expectProblem(try await client.post("/admin/api/automations", json: body), 409, "key_taken")
        let wrong = try await client.send("POST", "/admin/api/automations/\(key)/deactivate")
        try expectProblem(wrong, 409, "wrong_state")
        #expect(try await stored() == before)
    }

    @Test func anIdempotencyKeyIsHonoured() async throws {
        let key = Self.unique("idempotent")
        let client = try installation.client()
        let header = ["Idempotency-Key": key]
        let body = Installation.automation(key, on: "x")
        let one = try await client.post("/admin/api/automations", json: body, headers: header)
        let two = try await client.post("/admin/api/automations", json: body, headers: header)
        #expect(one.status == 201 && two.status == 201)
        #expect(try JSONValue(parsing: one.body) == JSONValue(parsing: two.body))
        let other = Installation.automation("\(key)-2", on: "x")
        let three = try await client.post("/admin/api/automations", json: other, headers: header)
        try expectProblem(three, 422, "idempotency_key_reused")
    }

    @Test("Bad input: 404 for what one may not see")
    func aForeignTenantSeesNothing() async throws {
        let key = Self.unique("mine")
        try await installation.automate(key, on: "mine.\(key)")
        let receipt = try await installation.post(id: key, type: "mine.\(key)")
        let signal = receipt.signalID.uuidString.lowercased()
        let judged = decision(key, in: try await processed(receipt.signalID))
        let decision = try #require(judged)
        let run = try #require(decision["run_id"]?.stringValue)
        let mine = try await installation.read("/admin/api/automations/\(key)")
        let id = try #require(mine["id"]?.stringValue)
        let tokenID = try await installation.texts(
            "SELECT token_id::text FROM gateway.api_tokens WHERE name = 'admin'"
        )[0]

        let hook = #"{"name":"\#(key)","kind":"github"}"#
        #expect(try await installation.client().post("/admin/api/hooks", json: hook).status == 201)

        let foreigner = try installation.client(token: try await foreignToken())
        let places: [(String, String)] = [
            ("GET", "/api/signals/\(signal)"), ("GET", "/api/runs/\(run)"),
            ("GET", "/api/runs/\(run)/steps/step-1/output"),
            ("GET", "/admin/api/automations/\(id)"), ("GET", "/admin/api/automations/\(key)"),
            ("POST", "/admin/api/automations/\(id)/activate"), ("POST", "/admin/api/automations/\(id)/deactivate"),
            ("POST", "/admin/api/automations/\(key)/deactivate"), ("DELETE", "/admin/api/tokens/\(tokenID)"),
            ("GET", "/admin/api/hooks/\(key)"), ("DELETE", "/admin/api/hooks/\(key)"),
            ("POST", "/admin/api/hooks/\(key)/rotate"),
        ]
        for (method, path) in places {
            try expectProblem(try await foreigner.send(method, path), 404, "not_found")
        }
        for path in [
            "/api/runs", "/api/runs?signal_id=\(signal)", "/api/runs?automation_key=\(key)", "/admin/api/automations",
            "/api/signals", "/admin/api/hooks",
        ] {
            let answer = try await foreigner.get(path)
            #expect(try JSONValue(parsing: answer.body)["items"] == [], "\(path)")
        }
        // The same ids mean other things there, and wake nothing of ours.
        let event = SignalBody.event(id: key, type: "mine.\(key)", data: "{}")
        let answer = try await foreigner.send("POST", "/api/signals", headers: SignalBody.structured, body: event)
        #expect(try JSONValue(parsing: answer.body)["duplicate"]?.boolValue == false)
        let theirs = try SignalBody.signalID(answer).uuidString.lowercased()
        try await eventually("the foreign signal is processed") {
            try JSONValue(parsing: try await foreigner.get("/api/signals/\(theirs)").body)["status"]?.stringValue
                == "processed"
        }
        #expect(try await runs(of: key) == 1)
        #expect(
            try await foreigner.post("/admin/api/automations", json: Installation.automation(key, on: "x")).status
                == 201
        )
        #expect(try await installation.read("/admin/api/automations/\(key)") == mine)
    }

    // MARK: - What the tests share

    /// The counts of everything that a refusal must not add to.
    private func stored() async throws -> [String] {
        try await installation.texts(
            """
            SELECT 'signals ' || count(*) FROM gateway.signals UNION ALL
            SELECT 'keys ' || count(*) FROM gateway.signal_keys UNION ALL
            SELECT 'hooks ' || count(*) FROM gateway.hooks UNION ALL
            SELECT 'tokens ' || count(*) || ' ' || count(revoked_at) FROM gateway.api_tokens UNION ALL
            SELECT 'automations ' || count(*) || ' ' || coalesce(sum(revision), 0) FROM engine.automations UNION ALL
            SELECT 'answers ' || count(*) FROM engine.requests
            """
        )
    }

    @discardableResult
    private func expectProblem(
        _ answer: HTTPTestClient.Response,
        _ status: Int,
        _ code: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSONValue {
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        let type = answer.header("Content-Type") ?? ""
        #expect(type.hasPrefix("application/problem+json"), sourceLocation: sourceLocation)
        let problem = try JSONValue(parsing: answer.body)
        #expect(problem["code"]?.stringValue == code, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(problem["status"]?.int64Value == Int64(status), sourceLocation: sourceLocation)
        #expect(problem["detail"]?.stringValue?.isEmpty == false, sourceLocation: sourceLocation)
        return problem
    }

    /// A fresh token of a role.
    private func token(of role: String) async throws -> String {
        let name = Self.unique(role)
        let answer = try await installation.client()
            .post("/admin/api/tokens", json: #"{"name":"\#(name)","role":"\#(role)"}"#)
        return try #require(try JSONValue(parsing: answer.body)["token"]?.stringValue)
    }

    /// An administrator's token of a second tenant.
    func foreignToken() async throws -> String {
        try await installation.addTenant(Self.unique("foreign"))
    }
}
