import Crypto
import Domain
import Foundation
import JSON
import NIOHTTP1
import Persistence
import Secrets
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct HookServerTests {
    private static let secret = "It's a Secret to Everybody"

    @Test func aSourceIsMadeReadRotatedAndDeleted() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            let client = test.client()
            let body = #"{"name":"gh","kind":"github","mapping":{"keep":["/a"]}}"#
            let made = try await client.post("/admin/api/hooks", json: body, headers: ["Idempotency-Key": "k"])
            #expect(made.status == 201, "\(made.text)")
            let first = try test.member("secret", of: made)
            #expect(try test.member("url", of: made) == "/api/hooks/acme.gh")
            let again = try await client.post("/admin/api/hooks", json: body, headers: ["Idempotency-Key": "k"])
            #expect(again.status == 201)
            #expect(try JSONValue(parsing: again.body)["secret"] == nil)
            let other = #"{"name":"gh2","kind":"github"}"#
            let reused = try await client.post("/admin/api/hooks", json: other, headers: ["Idempotency-Key": "k"])
            #expect(reused.status == 422)
            #expect(try await client.post("/admin/api/hooks", json: body).status == 409)
            let read = try await client.get("/admin/api/hooks/gh")
            #expect(read.status == 200)
            #expect(try JSONValue(parsing: read.body)["mapping"]?["keep"] == ["/a"])
            let listed = try await client.get("/admin/api/hooks?limit=1")
            #expect(try JSONValue(parsing: listed.body)["items"]?.arrayValue?.count == 1)

            #expect(try await Self.push(test, "1", secret: first).status == 202)
            let rotated = try await client.post("/admin/api/hooks/gh/rotate", json: #"{"grace":"1h"}"#)
            #expect(rotated.status == 200, "\(rotated.text)")
            let second = try test.member("secret", of: rotated)
            #expect(second != first)
            #expect(try await Self.push(test, "2", secret: first).status == 202)
            #expect(try await Self.push(test, "3", secret: second).status == 202)
            try await test.storage.executeAsSuperuser(
                "UPDATE gateway.hooks SET previous_until = now() - interval '1 second'"
            )
            #expect(try await Self.push(test, "3b", secret: first).status == 401)
            let ended = try await client.post(
                "/admin/api/hooks/gh/rotate",
                json: #"{"secret":"\#(Self.secret)","grace":"0s"}"#
            )
            #expect(ended.status == 200)
            #expect(try JSONValue(parsing: ended.body)["secret"] == nil)
            #expect(try await Self.push(test, "4", secret: second).status == 401)
            #expect(try await Self.push(test, "4", secret: Self.secret).status == 202)
            // Without a body it has a secret made, and a day of grace.
            #expect(try await client.send(.POST, "/admin/api/hooks/gh/rotate").status == 200)
            #expect(try await Self.push(test, "5", secret: Self.secret).status == 202)

            #expect(try await client.send(.DELETE, "/admin/api/hooks/gh").status == 204)
            #expect(try await Self.push(test, "6", secret: Self.secret).status == 401)
            for path in ["/admin/api/hooks/gh", "/admin/api/hooks/gh/rotate"] {
                let method: HTTPMethod = path.hasSuffix("rotate") ? .POST : .DELETE
                #expect(try await client.send(method, path).status == 404)
            }
            let entries = try await test.auditEntries().filter { $0["object"]?["type"]?.stringValue == "hook" }
            #expect(
                entries.compactMap { $0["action"]?.stringValue }
                    == ["hook.create", "hook.rotate", "hook.rotate", "hook.rotate", "hook.delete"]
            )
            let text = try entries.map { String(decoding: try $0.canonicalBytes(), as: UTF8.self) }.joined()
            for secret in [first, second, Self.secret] { #expect(!text.contains(secret)) }
            let answers = try await test.database.execute(PostgresStatement("SELECT answer FROM gateway.requests"))
            for row in answers { #expect(!(try row.decode(0, as: String.self)).contains(first)) }
        }
    }

    @Test func aDeliveryIsTakenOnceAndWhole() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            try await Self.make(test, #"{"name":"gh","kind":"github","secret":"\#(Self.secret)"}"#)
            let first = try await Self.push(test, "d1")
            #expect(first.status == 202)
            let signals = try #require(try JSONValue(parsing: first.body)["signals"]?.arrayValue)
            #expect(signals.count == 1)
            #expect(signals[0]["type"]?.stringValue == "github.push")
            #expect(signals[0]["id"]?.stringValue == "d1")
            #expect(signals[0]["source"]?.stringValue == "/api/hooks/acme.gh")
            #expect(signals[0]["duplicate"]?.boolValue == false)
            let again = try JSONValue(parsing: try await Self.push(test, "d1").body)["signals"]?.arrayValue
            #expect(again?.first?["duplicate"]?.boolValue == true)
            #expect(again?.first?["signal_id"] == signals[0]["signal_id"])
            #expect(try await test.number("SELECT count(*) FROM gateway.signals") == 1)
            #expect(try await test.number("SELECT count(*) FROM gateway.outbox WHERE items IS NOT NULL") == 1)
        }
    }

    @Test func whatIsNotAuthenticLooksTheSameAndStoresNothing() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            try await Self.make(test, #"{"name":"gh","kind":"github","secret":"\#(Self.secret)"}"#)
            try await Self.make(test, #"{"name":"am","kind":"alertmanager"}"#)
            let body = Array("{}".utf8)
            let right = Self.signature(body, Self.secret)
            let refusals: [(String, [String: String], [UInt8])] = [
                ("acme.gh", [:], body), ("acme.gh", ["X-Hub-Signature-256": "sha256=00"], body),
                ("acme.gh", ["X-Hub-Signature-256": Self.signature(body, "another secret")], body),
                ("acme.gh", ["X-Hub-Signature-256": right], Array("{} ".utf8)),
                ("acme.gh", ["X-Hub-Signature-256": right], Array("{".utf8)),
                ("acme.gh", ["X-Hub-Signature-256": right.replacing("sha256", with: "sha1")], body),
                ("acme.gh", ["Authorization": "Bearer \(test.adminToken)"], body),
                ("acme.none", ["X-Hub-Signature-256": right], body), ("other.gh", ["X-Hub-Signature-256": right], body),
                ("acme", ["X-Hub-Signature-256": right], body), ("a%00.b", ["X-Hub-Signature-256": right], body),
                ("acme.am", ["Authorization": "Bearer wrong"], body), ("acme.am", ["X-Hub-Signature-256": right], body),
                ("acme.am", ["Authorization": "Basic YTpi"], body),
            ]
            var documents: Set<[UInt8]> = []
            for (source, headers, body) in refusals where !source.contains("%") {
                let answer = try await Self.deliver(test, source, headers, body)
                #expect(answer.status == 401, "\(source) \(headers): \(answer.text)")
                let members = try JSONValue(parsing: answer.body).objectValue ?? []
                documents.insert(try JSONValue.object(members.filter { $0.key != "request_id" }).canonicalBytes())
            }
            #expect(documents.count == 1)
            #expect(try await test.number("SELECT count(*) FROM gateway.signal_keys") == 0)
        }
    }

    @Test func whatIsAuthenticAndWrongIsRefusedByItsName() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            try await Self.make(test, #"{"name":"gh","kind":"github","secret":"\#(Self.secret)"}"#)
            try await Self.make(test, #"{"name":"am","kind":"alertmanager","secret":"0123456789abcdef"}"#)
            let bearer = ["Authorization": "Bearer 0123456789abcdef"]
            let event = #""status":"firing","startsAt":"x","fingerprint":"f""#
            let half = Array(#"{"groupKey":"g","alerts":[{\#(event)},{"status":"firing"}]}"#.utf8)
            #expect(try await Self.deliver(test, "acme.am", bearer, half).status == 400)
            let large = Array("{\"x\":\"\(String(repeating: "x", count: 300_000))\"}".utf8)
            let signed = ["X-Hub-Signature-256": Self.signature(large, Self.secret), "X-GitHub-Event": "push"]
            #expect(try await Self.deliver(test, "acme.gh", signed, large).status == 413)
            let plain = ["X-Hub-Signature-256": Self.signature(large, Self.secret), "Content-Type": "text/plain"]
            #expect(try await Self.deliver(test, "acme.gh", plain, large).status == 415)
            let announced = try await RawConnection.exchange(
                port: test.gateway.server.port ?? 0,
                "POST /api/hooks/acme.gh HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    + "X-Hub-Signature-256: \(Self.signature([], "x"))\r\nContent-Length: \(26 << 20)\r\n\r\n"
            )
            #expect(announced.hasPrefix("HTTP/1.1 413 "), "\(announced.prefix(200))")
            #expect(try await test.number("SELECT count(*) FROM gateway.signal_keys") == 0)
            let empty = try await Self.deliver(test, "acme.am", bearer, Array(#"{"groupKey":"g","alerts":[]}"#.utf8))
            #expect(empty.status == 202)
            #expect(empty.text == #"{"signals":[]}"#)
        }
    }

    @Test func everyKindKnowsItsCredential() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            let now = Int64(Date().timeIntervalSince1970)
            let body = Array(#"{"id":"evt_1","type":"a.b"}"#.utf8)
            let stripe = "whsec_0123456789abcdef"
            try await Self.make(test, #"{"name":"st","kind":"stripe","secret":"\#(stripe)"}"#)
            func stripeHeader(_ time: Int64) -> [String: String] {
                let signed = Array("\(time).".utf8) + body
                let code = Self.signature(signed, stripe).dropFirst("sha256=".count)
                return ["Stripe-Signature": "t=\(time),v1=\(code)"]
            }
            #expect(try await Self.deliver(test, "acme.st", stripeHeader(now), body).status == 202)
            #expect(try await Self.deliver(test, "acme.st", stripeHeader(now - 400), body).status == 401)

            let made = try await Self.make(test, #"{"name":"sw","kind":"standard-webhooks"}"#)
            let signer = try StandardWebhooksSigner(secrets: [Secret(made)])
            func standardHeader(_ id: String, _ time: Int64) throws -> [String: String] {
                let signature = try signer.sign(id: id, timestamp: time, body: body[...])
                return ["webhook-id": id, "webhook-timestamp": "\(time)", "webhook-signature": signature]
            }
            #expect(try await Self.deliver(test, "acme.sw", standardHeader("m1", now), body).status == 202)
            let repeated = try await Self.deliver(test, "acme.sw", standardHeader("m1", now), body)
            #expect(repeated.text.contains(#""duplicate":true"#))
            #expect(try await Self.deliver(test, "acme.sw", standardHeader("m2", now + 400), body).status == 401)

            let token = try await Self.make(
                test,
                #"{"name":"ge","kind":"generic","mapping":{"type":"/type"},"type_prefix":"shop"}"#
            )
            let generic = try await Self.deliver(test, "acme.ge", ["Authorization": "Bearer \(token)"], body)
            #expect(generic.status == 202)
            #expect(generic.text.contains(#""type":"shop.a.b""#))
            let types = try await test.database.execute(
                PostgresStatement("SELECT type FROM gateway.signals ORDER BY type")
            )
            #expect(try types.map { try $0.decode(0, as: String.self) } == ["a.b", "shop.a.b", "stripe.a.b"])
        }
    }

    @Test func aGenericPublisherMaySign() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            let body = Array(#"{"id":"1","type":"a"}"#.utf8)
            let code = Self.signature(body, Self.secret).dropFirst("sha256=".count)
            let base64 = Data(
                HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(Self.secret.utf8)))
            )
            .base64EncodedString()
            // As Gitea, Shopify and Typeform write it.
            let forms = [
                ("he", #"{"header":"X-Gitea-Signature"}"#, "X-Gitea-Signature", String(code)),
                ("ba", #"{"header":"X-Shopify-Hmac-Sha256","encoding":"base64"}"#, "x-shopify-hmac-sha256", base64),
                (
                    "pr",
                    #"{"header":"Typeform-Signature","algorithm":"sha256","encoding":"base64","prefix":"sha256="}"#,
                    "Typeform-Signature", "sha256=\(base64)"
                ),
            ]
            for (name, form, header, value) in forms {
                let source = #"{"name":"\#(name)","kind":"generic","secret":"\#(Self.secret)","signature":\#(form)}"#
                try await Self.make(test, source)
                func deliver(_ headers: [String: String], _ body: [UInt8] = body) async throws -> Int {
                    try await Self.deliver(test, "acme.\(name)", headers, body).status
                }
                #expect(try await deliver([header: value]) == 202, "\(name)")
                #expect(try await deliver([header: value], body + [0x20]) == 401, "\(name)")
                #expect(try await deliver([header: String(value.dropLast())]) == 401, "\(name)")
                #expect(try await deliver(["X-Other-Signature": value]) == 401, "\(name)")
                // Who signs does not send the secret.
                #expect(try await deliver(["Authorization": "Bearer \(Self.secret)"]) == 401, "\(name)")
                #expect(try await deliver([:]) == 401, "\(name)")
            }
            let read = try JSONValue(parsing: try await test.client().get("/admin/api/hooks/he").body)
            let shown: JSONValue = [
                "header": "X-Gitea-Signature", "algorithm": "sha256", "encoding": "hex", "prefix": "",
            ]
            #expect(read["signature"] == shown)
            let made = try await test.auditEntries().first { $0["object"]?["id"]?.stringValue == "he" }
            #expect(try made?["after"]?["signature"]?.canonicalBytes() == shown.canonicalBytes())
            // The form stays when the secret is replaced.
            let client = test.client()
            let rotated = try await client.post("/admin/api/hooks/he/rotate", json: #"{"grace":"0s"}"#)
            let second = Self.signature(body, try test.member("secret", of: rotated)).dropFirst("sha256=".count)
            let old = try await Self.deliver(test, "acme.he", ["X-Gitea-Signature": String(code)], body)
            #expect(old.status == 401)
            let new = try await Self.deliver(test, "acme.he", ["X-Gitea-Signature": String(second)], body)
            #expect(new.status == 202)
        }
    }

    @Test func withoutKeysItSaysWhatToConfigure() async throws {
        try await TestGateway.with { test in
            let made = try await test.client().post("/admin/api/hooks", json: #"{"name":"gh","kind":"github"}"#)
            #expect(made.status == 503)
            #expect(try test.member("code", of: made) == "secrets_not_configured")
            #expect(made.text.contains("BATUTA_SECRET_KEYS_FILE"))
            #expect(try await Self.push(test, "1").status == 503)
        }
    }

    @Test(arguments: [
        ("{}", ["/name", "/kind"]), (#"{"name":"A","kind":"x","y":1}"#, ["/y", "/name", "/kind"]),
        (#"{"name":"a.b","kind":"github"}"#, ["/name"]), (#"{"name":"a","kind":"stripe"}"#, ["/secret"]),
        (#"{"name":"a","kind":"github","secret":"short"}"#, ["/secret"]),
        (#"{"name":"a","kind":"standard-webhooks","secret":"0123456789abcdef"}"#, ["/secret"]),
        (#"{"name":"a","kind":"alertmanager","secret":"with a blank in it"}"#, ["/secret"]),
        (#"{"name":"a","kind":"github","type_prefix":"a..b"}"#, ["/type_prefix"]),
        (#"{"name":"a","kind":"github","type_prefix":"*"}"#, ["/type_prefix"]),
        (#"{"name":"a","kind":"github","mapping":{"type":"/x"}}"#, ["/mapping/type"]),
        (#"{"name":"a","kind":"github","signature":{"header":"X-Signature"}}"#, ["/signature"]),
        (#"{"name":"a","kind":"generic","signature":"X-Signature"}"#, ["/signature"]),
        (#"{"name":"a","kind":"generic","signature":{}}"#, ["/signature/header"]),
        (#"{"name":"a","kind":"generic","signature":{"header":"Authorization"}}"#, ["/signature/header"]),
        (#"{"name":"a","kind":"generic","signature":{"header":"X Signature"}}"#, ["/signature/header"]),
        (
            #"{"name":"a","kind":"generic","signature":{"header":"x-mac","algorithm":"md5","encoding":"HEX","prefix":" ","x":1}}"#,
            ["/signature/x", "/signature/algorithm", "/signature/encoding", "/signature/prefix"]
        ),
    ])
    func wrongRequests(body: String, pointers: [String]) throws {
        let view = try JSONDocument(parsing: body).root
        let problem = #expect(throws: GatewayProblem.self) { try HookRequest(view) }
        #expect(problem?.status == 422)
        #expect(problem?.faults.map(\.pointer) == pointers)
    }

    @Test func aSlowBodyIsEnded() async throws {
        try await TestGateway.with(bodyPatience: .milliseconds(200), secrets: try Self.ring()) { test in
            let answer = try await RawConnection.exchange(
                port: test.gateway.server.port ?? 0,
                "POST /api/hooks/acme.gh HTTP/1.1\r\nHost: x\r\n"
                    + "X-Hub-Signature-256: \(Self.signature([], "x"))\r\nContent-Length: 100\r\n\r\n{"
            )
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func aBodyThatIsCutShortStoresNothing() async throws {
        try await TestGateway.with(bodyPatience: .milliseconds(300), secrets: try Self.ring()) { test in
            let token = try await Self.make(test, #"{"name":"ge","kind":"generic"}"#)
            let port = test.gateway.server.port ?? 0
            func send(_ number: Int, _ length: String, _ form: (String) -> String, isCut: Bool) async throws -> String {
                let head =
                    "POST /api/hooks/acme.ge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(length)\r\n"
                    + "Content-Type: application/json\r\nAuthorization: Bearer \(token)\r\n\r\n"
                return try await RawConnection.exchange(
                    port: port,
                    parts: [head, form(#"{"n":\#(number)}"#)],
                    isCut: isCut
                )
            }
            // What has come is whole by itself, and the token is right; the sender ends early, or sends no more.
            for number in 10..<30 {
                for isCut in [true, false] where isCut || number < 13 {
                    let counted = try await send(number, "Content-Length: 100", { $0 }, isCut: isCut)
                    let chunked = try await send(
                        number,
                        "Transfer-Encoding: chunked",
                        { "8\r\n\($0)\r\n" },
                        isCut: isCut
                    )
                    let status = isCut ? "HTTP/1.1 400 " : "HTTP/1.1 408 "
                    #expect(counted.hasPrefix(status), "\(counted)")
                    #expect(chunked.hasPrefix(status), "\(chunked)")
                }
            }
            // By the time that this one is committed, those before it would be, too.
            let whole = try await send(99, "Content-Length: 8", { $0 }, isCut: false)
            #expect(whole.hasPrefix("HTTP/1.1 202 "), "\(whole)")
            #expect(try await test.number("SELECT count(*) FROM gateway.signal_keys") == 1)
        }
    }

    @Test func aBodyOfUnknownLengthEndsAtTheLimit() async throws {
        try await TestGateway.with(secrets: try Self.ring()) { test in
            let token = try await Self.make(test, #"{"name":"ge","kind":"generic","mapping":{"keep":["/a"]}}"#)
            let head =
                "POST /api/hooks/acme.ge HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + "Authorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n\r\n"
            func parts(_ megabytes: Int) -> [String] {
                let text = String(repeating: "x", count: 1 << 20)
                let chunks = (0..<megabytes).map { _ in "100000\r\n\(text)\r\n" }
                return [head, "c\r\n{\"a\":1,\"b\":\"\r\n"] + chunks + ["2\r\n\"}\r\n0\r\n\r\n"]
            }
            let port = test.gateway.server.port ?? 0
            // It is answered before its end, which never comes.
            let large = try await RawConnection.exchange(port: port, parts: parts(25).dropLast())
            #expect(large.hasPrefix("HTTP/1.1 413 "), "\(large)")
            #expect(try await test.number("SELECT count(*) FROM gateway.signal_keys") == 0)
            let fitting = try await RawConnection.exchange(port: port, parts: parts(24))
            #expect(fitting.hasPrefix("HTTP/1.1 202 "), "\(fitting)")
            let stored = try await test.database.execute(PostgresStatement("SELECT event FROM gateway.signals"))
            #expect(try stored.map { try $0.decode(0, as: String.self).contains(#""data":{"a":1}"#) } == [true])
        }
    }

    // MARK: - What the tests share

    private static func ring() throws -> SecretKeyRing {
        try SecretKeyRing(keyFile: try SecretKeyRing.generate(id: "test"))
    }

    /// Makes a source and answers its secret, where one was made.
    @discardableResult
    private static func make(_ test: TestGateway, _ body: String) async throws -> String {
        let made = try await test.client().post("/admin/api/hooks", json: body)
        #expect(made.status == 201, "\(made.text)")
        return try JSONValue(parsing: made.body)["secret"]?.stringValue ?? ""
    }

    private static func push(
        _ test: TestGateway,
        _ id: String,
        secret: String = secret
    ) async throws -> HTTPTestClient.Response {
        let body = Array(#"{"ref":"refs/heads/main"}"#.utf8)
        let headers = [
            "X-Hub-Signature-256": signature(body, secret), "X-GitHub-Event": "push", "X-GitHub-Delivery": id,
        ]
        return try await deliver(test, "acme.gh", headers, body)
    }

    private static func deliver(
        _ test: TestGateway,
        _ source: String,
        _ headers: [String: String],
        _ body: [UInt8]
    ) async throws -> HTTPTestClient.Response {
        let client = HTTPTestClient(base: "http://127.0.0.1:\(test.gateway.server.port ?? 0)")
        let fields = ["Content-Type": "application/json"].merging(headers) { $1 }
        return try await client.send(.POST, "/api/hooks/\(source)", headers: fields, body: body)
    }

    private static func signature(_ body: [UInt8], _ secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        return "sha256=" + code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
