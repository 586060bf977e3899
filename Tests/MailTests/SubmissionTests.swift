import Secrets
import TestSupport
import Testing

@testable import Mail

@Suite("Submissions", .timeLimit(.minutes(2))) struct SubmissionTests {
    @Test("a message arrives as it is, dots at the start of lines and all, and those who stand nowhere get it too")
    func arrives() async throws {
        try await ScriptedRelay.with { relay in
            var message = try Self.message(text: "One\n.\n..two\n" + String(repeating: "línea\n", count: 20_000))
            message.bcc = [try MailAddress("hidden@b.org")]
            try await Self.send(message, to: "smtp://127.0.0.1:\(relay.port)?starttls=never")
            let taken = try #require(relay.messages.first)
            #expect(relay.messages.count == 1 && !taken.isEncrypted && taken.login == nil)
            #expect(taken.sender == "no-reply@example.org" && taken.recipients == ["a@b.org", "hidden@b.org"])
            #expect(try taken.bytes == message.bytes(from: Self.sender(), at: 1_763_688_555))
            #expect(!taken.text.contains("hidden"))
        }
    }

    @Test(
        "a message may be encrypted from the start or by STARTTLS, and who sends it logs in",
        arguments: [true, false]
    )
    func encrypted(isImplicit: Bool) async throws {
        try await TestAuthority.with { authority in
            let encryption = isImplicit ? ScriptedRelay.Encryption.implicit(authority) : .startTLS(authority)
            try await ScriptedRelay.with(encryption, login: "me@x:p:ss") { relay in
                let url = "\(isImplicit ? "smtps" : "smtp")://me%40x@localhost:\(relay.port)"
                try await Self.send(to: url, password: "p:ss", trusting: authority.caFile)
                #expect(relay.messages.map(\.isEncrypted) == [true] && relay.messages.map(\.login) == ["me@x:p:ss"])
                let error = await Self.failure(to: url, password: "geheim", trusting: authority.caFile)
                #expect(error?.code == .loginRefused && error?.reply?.status == 535 && error?.isRetryable == false)
                #expect(error?.message.contains("geheim") == false)
                #expect(relay.messages.count == 1)
            }
        }
    }

    @Test("a relay without STARTTLS is told nothing, neither the password nor who writes to whom")
    func noStartTLS() async throws {
        try await ScriptedRelay.with(login: "me:geheim") { relay in
            let error = await Self.failure(to: "smtp://me@127.0.0.1:\(relay.port)", password: "geheim")
            #expect(error?.code == .tlsFailed && error?.outcome == .notSent)
            #expect(!relay.commands.contains { ["AUTH", "MAIL", "RCPT", "DATA"].contains($0.prefix(4)) })
        }
        // One that refuses although it offers it, as somebody in between would.
        try await TestAuthority.with { authority in
            try await ScriptedRelay.with(.startTLS(authority), login: "me:geheim") { moment, _ in
                moment == .command("STARTTLS") ? .reply("454 4.7.0 Not now") : nil
            } _: { relay in
                let error = await Self.failure(to: "smtp://me@localhost:\(relay.port)", password: "geheim")
                #expect(error?.code == .tlsFailed)
                #expect(relay.commands.last == "STARTTLS")
            }
        }
    }

    @Test("a certificate of nobody who is trusted, or of another host, is refused before anything is said")
    func certificates() async throws {
        try await TestAuthority.with(["other.test"]) { other in
            try await TestAuthority.with { authority in
                for (served, trusted) in [(authority, other), (other, other), (authority, nil)] {
                    for isImplicit in [true, false] {
                        let encryption = isImplicit ? ScriptedRelay.Encryption.implicit(served) : .startTLS(served)
                        try await ScriptedRelay.with(encryption) { relay in
                            let url = "\(isImplicit ? "smtps" : "smtp")://localhost:\(relay.port)"
                            let error = await Self.failure(to: url, trusting: trusted?.caFile)
                            #expect(error?.code == .tlsFailed && error?.outcome == .notSent)
                            #expect(relay.messages.isEmpty && !relay.commands.contains { $0.hasPrefix("MAIL") })
                        }
                    }
                }
            }
        }
    }

    /// What a relay does at a moment, and what is then known.
    struct Row: Sendable {
        var moment: String
        var reaction: ScriptedRelay.Reaction
        var code: MailError.Code
        var outcome = MailError.Outcome.notSent
        var isRetryable: Bool
    }

    static let rows: [Row] =
        ["greeting", "EHLO", "MAIL", "RCPT TO:<second", "DATA"].flatMap { moment in
            [
                Row(moment: moment, reaction: .reply("451 4.3.0 Later"), code: .relayRefused, isRetryable: true),
                Row(moment: moment, reaction: .reply("421 4.3.2 Bye"), code: .relayRefused, isRetryable: true),
                Row(moment: moment, reaction: .reply("550 5.1.1 Never"), code: .relayRefused, isRetryable: false),
                Row(moment: moment, reaction: .drop, code: .connectionLost, isRetryable: true),
                Row(moment: moment, reaction: .stall, code: .timedOut, isRetryable: true),
            ]
        } + [
            Row(moment: "message", reaction: .reply("451 4.3.0 Later"), code: .relayRefused, isRetryable: true),
            Row(moment: "message", reaction: .reply("554 5.6.0 Spam"), code: .relayRefused, isRetryable: false),
            Row(
                moment: "message",
                reaction: .reply("354 What?"),
                code: .connectionLost,
                outcome: .unknown,
                isRetryable: true
            ),
            Row(moment: "message", reaction: .drop, code: .connectionLost, outcome: .unknown, isRetryable: true),
        ]

    @Test("what a relay says, or does not say, tells whether the message was sent", arguments: rows)
    func outcomes(row: Row) async throws {
        try await ScriptedRelay.with { moment, _ in
            switch moment {
            case .greeting: row.moment == "greeting" ? row.reaction : nil
            // A relay that knows no EHLO is asked by HELO.
            case .command(let line) where row.moment == "EHLO" && line.hasPrefix("HELO"): row.reaction
            case .command(let line): line.hasPrefix(row.moment) ? row.reaction : nil
            case .message: row.moment == "message" ? row.reaction : nil
            }
        } _: { relay in
            var message = try Self.message()
            message.cc = [try MailAddress("second@b.org")]
            // Only what stalls takes the time; where a busy machine is by then makes no difference.
            let isStall = if case .stall = row.reaction { true } else { false }
            let error = await Self.failure(
                message,
                to: "smtp://127.0.0.1:\(relay.port)?starttls=never",
                within: isStall ? .seconds(1) : .seconds(60)
            )
            let found = "\(row.moment) \(row.reaction): \(error.map(String.init(describing:)) ?? "it was sent")"
            #expect(error?.code == row.code || isStall && error?.code == .busy, "\(found)")
            #expect(error?.outcome == row.outcome, "\(found)")
            #expect(error?.isRetryable == row.isRetryable, "\(found)")
            #expect(relay.messages.isEmpty)
            guard row.moment.hasPrefix("RCPT") else { return }
            #expect(!relay.commands.contains("DATA"), "one who is refused keeps all others from getting it")
            #expect(row.code != .relayRefused || error?.message.contains("second@b.org") == true)
        }
    }

    @Test("a message that was taken is sent, whatever happens afterwards", arguments: [true, false])
    func farewell(isStall: Bool) async throws {
        try await ScriptedRelay.with { moment, _ in
            moment == .command("QUIT") ? (isStall ? .stall : .drop) : nil
        } _: { relay in
            // Who waited for the farewell would still wait when the test's time is over.
            try await Self.send(to: "smtp://127.0.0.1:\(relay.port)?starttls=never", within: .seconds(600))
            #expect(relay.messages.count == 1)
        }
    }

    @Test("without anybody who listens nothing is sent, and it may be tried again")
    func nobody() async throws {
        let port = try await ScriptedRelay.with { $0.port }
        let refused = await Self.failure(to: "smtp://127.0.0.1:\(port)?starttls=never")
        #expect(refused?.code == .connectionFailed && refused?.outcome == .notSent && refused?.isRetryable == true)
        let unknown = await Self.failure(to: "smtp://relay.invalid")
        #expect(unknown?.code == .nameNotFound && unknown?.isRetryable == true)
    }

    @Test("no more messages are under way than there are threads, and the others give up at their deadline")
    func concurrency() async throws {
        try await ScriptedRelay.with { moment, _ in
            moment == .greeting ? .stall : nil
        } _: { relay in
            let client = MailClient(try Self.relay("smtp://127.0.0.1:\(relay.port)?starttls=never"), concurrency: 1) {
                0
            }
            let message = try Self.message()
            async let first = Self.failure { try await client.send(message, deadline: .now + .seconds(60)) }
            let second = await Self.failure { try await client.send(message, deadline: .now + .milliseconds(200)) }
            // Whichever of the two had the thread is ended by the shutdown.
            await client.shutdown()
            #expect(await first?.outcome == .notSent)
            #expect(second?.outcome == .notSent && [.busy, .timedOut].contains(second?.code))
            let late = await Self.failure { try await client.send(message, deadline: .now + .seconds(60)) }
            #expect(late?.code == .shutDown && late?.isRetryable == true)
        }
    }

    @Test("one who gives up before the end is told whether the message may have been sent", arguments: [true, false])
    func cancelled(isHandedOver: Bool) async throws {
        try await ScriptedRelay.with { moment, _ in
            switch moment {
            case .message: .stall
            case .command("DATA") where !isHandedOver: .stall
            default: nil
            }
        } _: { relay in
            let client = MailClient(try Self.relay("smtp://127.0.0.1:\(relay.port)?starttls=never")) { 0 }
            let message = try Self.message()
            let task = Task { await Self.failure { try await client.send(message, deadline: .now + .seconds(60)) } }
            try await eventually("the relay is at DATA") { relay.commands.contains("DATA") }
            if isHandedOver { try await eventually("it has the message") { relay.hasWholeMessage } }
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled && error?.outcome == (isHandedOver ? .unknown : .notSent))
            await client.shutdown()
        }
    }

    // MARK: - What the tests share

    static func sender() throws -> MailAddress { try MailAddress("Batuta <no-reply@example.org>") }

    static func message(text: String = "Hi") throws -> MailMessage {
        MailMessage(key: "run.tell", to: [try MailAddress("a@b.org")], subject: "Hello", text: text)
    }

    static func relay(_ url: String, password: String? = nil, trusting file: String? = nil) throws -> MailRelay {
        try MailRelay(url: url, password: password.map { Secret($0) }, trustFile: file, sender: sender())
    }

    private static func send(
        _ message: MailMessage? = nil,
        to url: String,
        password: String? = nil,
        trusting file: String? = nil,
        within patience: Duration = .seconds(60)
    ) async throws {
        let client = MailClient(try relay(url, password: password, trusting: file)) { 1_763_688_555 }
        let result: Result<Void, any Error>
        do {
            result = .success(try await client.send(try message ?? Self.message(), deadline: .now + patience))
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        try result.get()
    }

    private static func failure(
        _ message: MailMessage? = nil,
        to url: String,
        password: String? = nil,
        trusting file: String? = nil,
        within patience: Duration = .seconds(60)
    ) async -> MailError? {
        await failure { try await send(message, to: url, password: password, trusting: file, within: patience) }
    }

    private static func failure(_ body: () async throws -> Void) async -> MailError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? MailError
        }
    }
}
