import Domain
import FoundationEssentials
import JSON
import Mail
import Messaging
import Persistence
import Synchronization
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Attempts of `notify.email` against a relay.
@Suite("Attempts of mails", .requiresServers, .timeLimit(.minutes(2)))
struct MailPerformerTests {
    @Test("a mail is sent, and the step outputs what identifies it and who gets it; without a relay it fails")
    func sent() async throws {
        try await Self.withLease { engine in
            try await ScriptedRelay.with { relay in
                let run = try await Self.drive(engine, relay, ends: "succeeded succeeded", ["succeeded -"])
                let message = try #require(relay.messages.first)
                #expect(relay.messages.count == 1 && message.recipients == ["ana@b.org", "hidden@b.org"])
                #expect(message.text.contains("\r\nMessage-ID: <\(run).mail@example.org>\r\n"))
                #expect(message.text.contains("\r\nFrom: Shop <no-reply@example.org>\r\n"))
                #expect(message.text.contains("\r\nn is 1\r\n"))
                let output = try await engine.texts("SELECT output FROM engine.automation_run_steps")
                #expect(
                    output == [
                        #"{"accepted":["ana@b.org","hidden@b.org"],"message_id":"<\#(run).mail@example.org>"}"#
                    ]
                )
            }
            try await Self.drive(engine, nil, ends: "failed failed", ["failed mail_not_configured"])
        }
    }

    @Test("what a relay refuses for now is tried again under the same identity, what it refuses for good is not")
    func retried() async throws {
        let attempts = Mutex(0)
        try await Self.withLease { engine in
            try await ScriptedRelay.with { moment, _ in
                guard moment == .message else { return nil }
                let attempt = attempts.withLock { count in
                    count += 1
                    return count
                }
                return attempt < 3 ? .reply("451 4.3.0 Later") : nil
            } _: { relay in
                let run = try await Self.drive(
                    engine,
                    relay,
                    more: Self.impatient,
                    ends: "succeeded succeeded",
                    ["failed relay_refused", "failed relay_refused", "succeeded -"]
                )
                #expect(relay.messages.count == 1)
                #expect(relay.messages.first?.text.contains("<\(run).mail@example.org>") == true)
            }
            try await ScriptedRelay.with { moment, _ in
                moment == .message ? .reply("554 5.7.1 Spam") : nil
            } _: { relay in
                _ = try await Self.drive(
                    engine,
                    relay,
                    more: Self.impatient,
                    ends: "failed failed",
                    ["failed relay_refused"]
                )
            }
        }
    }

    @Test("a mail that may have been sent parks its run, unless the step says that it may be sent twice")
    func unknown() async throws {
        try await Self.withLease { engine in
            for isIdempotent in [false, true] {
                let isFirst = Mutex(true)
                try await ScriptedRelay.with { moment, _ in
                    guard moment == .message else { return nil }
                    return isFirst.withLock { isFirst in
                        defer { isFirst = false }
                        return isFirst ? .drop : nil
                    }
                } _: { relay in
                    try await Self.drive(
                        engine,
                        relay,
                        more: #","idempotent":\#(isIdempotent)"# + Self.impatient,
                        ends: isIdempotent ? "succeeded succeeded" : "unknown unknown",
                        ["unknown connection_lost"] + (isIdempotent ? ["succeeded -"] : [])
                    )
                    #expect(relay.messages.count == (isIdempotent ? 1 : 0))
                }
            }
        }
    }

    @Test("every attempt is the same message, and without the lease there is none")
    func identity() async throws {
        try await ScriptedRelay.with { relay in
            let client = MailClient(try Self.relay(relay)) { 1_763_688_555 }
            let machine = try EffectPerformerTests.machine(Self.step())
            let database = PostgresClient(configuration: PostgresConfiguration(), logger: ServiceDatabase.logger)
            try await TestEngine.withClient { http in
                let effects = EffectPerformer(
                    client: http,
                    mail: MailPerformer(client: client),
                    secrets: SecretStore(database: database, keys: nil)
                )
                for _ in 1...2 { _ = await effects.perform(machine, 0) { true } }
                _ = await effects.perform(machine, 0) { false }
            }
            await client.shutdown()
            #expect(relay.messages.count == 2, "nothing is sent without the lease")
            #expect(relay.messages[0] == relay.messages[1])
        }
    }

    @Test("every item of a step has an identity of its own")
    func items() async throws {
        try await ScriptedRelay.with { relay in
            let client = MailClient(try Self.relay(relay)) { 0 }
            let items = #","for_each":{"items":["a","b"],"concurrency":2}"#
            let machine = try EffectPerformerTests.machine(Self.step(items))
            let database = PostgresClient(configuration: PostgresConfiguration(), logger: ServiceDatabase.logger)
            let steps = machine.record.steps
            let positions = steps.indices.filter { steps[$0].name != "mail" }
            #expect(positions.count == 2)
            try await TestEngine.withClient { http in
                let effects = EffectPerformer(
                    client: http,
                    mail: MailPerformer(client: client),
                    secrets: SecretStore(database: database, keys: nil)
                )
                for position in positions { _ = await effects.perform(machine, position) { true } }
            }
            await client.shutdown()
            let ids = relay.messages.flatMap { message in
                message.text.split(separator: "\r\n").filter { $0.hasPrefix("Message-ID: ") }
            }
            #expect(ids.count == 2 && Set(ids).count == 2)
        }
    }

    @Test("what a relay repeats of a secret is taken out of the failure")
    func secrets() async throws {
        try await ScriptedRelay.with { moment, _ in
            moment == .message ? .reply("550 Never hear of geheim@b.org, nor of geheim") : nil
        } _: { relay in
            let client = MailClient(try Self.relay(relay)) { 0 }
            let call = try MailCall(Array(#"{"to":"geheim@b.org","subject":"s","text":"t"}"#.utf8))
            let performer = MailPerformer(client: client)
            let outcome = await performer.perform(call, key: "k", SecretMask(["geheim"]), .now + .seconds(60))
            await client.shutdown()
            let error = try #require(outcome.error)
            #expect(error.detail.contains("<secret>@b.org") && !error.detail.contains("geheim"))
            #expect(error.members["status"] == 550)
        }
    }

    // MARK: - What the tests share

    private static let impatient = #","retry":{"delay":"1ms","max_attempts":10}"#

    private static func step(_ more: String = "") -> String {
        """
        {"name":"mail","action_key":"notify.email"\(more),"input":{"to":"Ana <ana@b.org>","bcc":"hidden@b.org",
         "from_name":"Shop","subject":"Order {{ signal.data.n }}","text":"n is {{ signal.data.n }}"}}
        """
    }

    private static func relay(_ relay: ScriptedRelay) throws -> MailRelay {
        try MailRelay(
            url: "smtp://127.0.0.1:\(relay.port)?starttls=never",
            password: nil,
            trustFile: nil,
            sender: MailAddress("Batuta <no-reply@example.org>")
        )
    }

    /// Lends an engine that holds its lease.
    private static func withLease(_ body: (TestEngine) async throws -> Void) async throws {
        try await TestEngine.with { engine in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await engine.lanes.run() }
                try await eventually("it has a lease") { engine.lanes.holdsLease(since: .now) }
                try await body(engine)
                group.cancelAll()
            }
        }
    }

    /// Drives a run that sends a mail until it has a status, and answers its id.
    ///
    /// - Parameters:
    ///   - engine: Where the run is.
    ///   - relay: Takes the mail; nil where none is configured.
    ///   - more: Further members of the step.
    ///   - status: Of the run and of its step.
    ///   - outcomes: Of its attempts, with the code of the error.
    /// - Returns: The run's id.
    /// - Throws: Where the run does not come to that.
    @discardableResult
    private static func drive(
        _ engine: TestEngine,
        _ relay: ScriptedRelay?,
        more: String = "",
        ends status: String,
        _ outcomes: [String]
    ) async throws -> String {
        let mail = try relay.map { relay in MailClient(try Self.relay(relay)) { 1_763_688_555 } }
        let run = try await TestEngine.withClient { client in
            let committer = engine.committer()
            let driver = engine.driver(client, mail: mail, committer: committer)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                group.addTask { try await driver.run() }
                let automation = try await engine.stored(step(more))
                let (machine, next) = try await engine.begin(automation, data: #"{"n":1}"#)
                #expect(driver.slots.reserve(machine.record.id, of: machine.record.tenant) == .entered)
                driver.committed(machine, next: next, since: .now)
                let run = machine.record.id.lowercased
                try await engine.ends(run, status)
                group.cancelAll()
                return run
            }
        }
        await mail?.shutdown()
        // On a busy machine the lease may lapse for a moment, and then nothing is sent.
        let attempts = try await engine.texts(
            """
            SELECT outcome || ' ' || coalesce(error::json ->> 'code', '-') FROM engine.step_attempts
            WHERE run_id = '\(run)' AND error::json ->> 'code' IS DISTINCT FROM 'lease_lost' ORDER BY number
            """
        )
        #expect(attempts == outcomes)
        return run
    }
}

extension TestEngine {
    /// An automation that is there when a run is claimed for its next attempt.
    fileprivate func stored(_ step: String) async throws -> CompiledAutomation {
        let definition = #"{"trigger":{"signalType":"a.b"},"steps":[\#(step)]}"#
        let automation = try Fixtures.automation(definition)
        let id = automation.id.lowercased
        try await storage.executeAsSuperuser(
            """
            INSERT INTO engine.automations (automation_id, tenant, automation_key, status, version, revision, name,
                                            definition, changed_generation)
            VALUES ('\(id)', 'acme', 'key-\(id)', 'active', 3, 3, 'One', '\(definition)', 1);
            INSERT INTO engine.automation_versions (automation_id, version, name, definition, created_by)
            VALUES ('\(id)', 3, 'One', '\(definition)', 'tests')
            """
        )
        return automation
    }

    fileprivate func ends(_ run: String, _ status: String) async throws {
        try await eventually("the run is \(status)", within: .seconds(60)) {
            try await texts(
                """
                SELECT r.status || ' ' || s.status
                FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id)
                WHERE r.run_id = '\(run)'
                """
            )
        } until: {
            $0 == [status]
        }
    }
}
