import Mail
import ServiceRuntime
import TestSupport
import Testing

@testable import AutomationEngineCore

/// The settings of the mail relay, as the engine reads them at its start.
@Suite struct MailSettingsTests {
    private static func client(_ environment: [String: String]) throws -> MailClient? {
        let keys: [any ConfigurationDeclaration] = [
            EngineKeys.smtpURL, EngineKeys.smtpPassword, EngineKeys.smtpFrom, EngineKeys.smtpTrust,
        ]
        return try MailSettings.client(try ConfigurationSchema(keys).load(environment))
    }

    private static let from = ["BATUTA_SMTP_FROM": "Batuta <no-reply@example.org>"]

    @Test("every key is one of the engine's")
    func keys() {
        let names = EngineKeys.all.map(\.name).filter { $0.hasPrefix("BATUTA_SMTP") }
        #expect(
            Set(names) == ["BATUTA_SMTP_URL", "BATUTA_SMTP_PASSWORD", "BATUTA_SMTP_FROM", "BATUTA_SMTP_CA_FILE"]
        )
    }

    @Test("without settings there is no relay, and with them there is")
    func read() async throws {
        #expect(try Self.client([:]) == nil)
        let settings = Self.from.merging(
            ["BATUTA_SMTP_URL": "smtps://me@relay.example.org", "BATUTA_SMTP_PASSWORD": "geheim"]
        ) { $1 }
        let client = try #require(try Self.client(settings))
        #expect(client.relay.origin == "relay.example.org:465" && client.relay.user == "me")
        #expect(client.relay.sender.name == "Batuta" && !"\(client.relay)".contains("geheim"))
        await client.shutdown()
    }

    @Test(
        "a setting that cannot be used stops the start with a sentence that names it, and shows no password",
        arguments: [
            (["BATUTA_SMTP_URL": "smtp://relay"], "BATUTA_SMTP_FROM"),
            (["BATUTA_SMTP_URL": "smtp://relay", "BATUTA_SMTP_FROM": "nobody"], "BATUTA_SMTP_FROM"),
            (["BATUTA_SMTP_URL": "smtp://relay", "BATUTA_SMTP_FROM": "a@b.org, c@d.org"], "BATUTA_SMTP_FROM"),
            (["BATUTA_SMTP_FROM": "a@b.org"], "BATUTA_SMTP_URL"),
            (["BATUTA_SMTP_PASSWORD": "geheim"], "BATUTA_SMTP_URL"),
            (["BATUTA_SMTP_URL": "smtp://me@relay", "BATUTA_SMTP_FROM": "a@b.org"], "BATUTA_SMTP_PASSWORD_FILE"),
            (
                ["BATUTA_SMTP_URL": "smtp://me:geheim@relay", "BATUTA_SMTP_FROM": "a@b.org"],
                "BATUTA_SMTP_PASSWORD_FILE"
            ),
            (["BATUTA_SMTP_URL": "smtp://relay?tls=no", "BATUTA_SMTP_FROM": "a@b.org"], "BATUTA_SMTP_URL"),
            (
                ["BATUTA_SMTP_URL": "smtp://r", "BATUTA_SMTP_FROM": "a@b.org", "BATUTA_SMTP_CA_FILE": "/dev/null"],
                "BATUTA_SMTP_CA_FILE"
            ),
            (
                [
                    "BATUTA_SMTP_URL": "smtp://me@relay?starttls=never", "BATUTA_SMTP_FROM": "a@b.org",
                    "BATUTA_SMTP_PASSWORD": "geheim",
                ], "BATUTA_SMTP_URL"
            ),
        ]
    )
    func refused(environment: [String: String], name: String) throws {
        let fault = try #require(throws: MailSettings.Fault.self) { try Self.client(environment) }
        #expect(fault.description.contains(name) && !fault.description.contains("geheim"), "\(fault.description)")
    }
}
