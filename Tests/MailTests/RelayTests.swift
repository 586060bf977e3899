import Secrets
import Testing

@testable import Mail

@Suite("Settings of a relay") struct RelayTests {
    private static func relay(_ url: String, password: String? = nil) throws -> MailRelay {
        try MailRelay(
            url: url,
            password: password.map { Secret($0) },
            trustFile: nil,
            sender: MailAddress("no-reply@example.org")
        )
    }

    @Test("a URL says where the relay is, and how it is spoken to")
    func urls() throws {
        let plain = try Self.relay("smtp://relay.example.org")
        #expect(plain.host == "relay.example.org" && plain.port == 587 && plain.user == nil)
        #expect(plain.encryption == .startTLS, "nothing is sent in the clear unless it is asked for")
        #expect(try Self.relay("smtp://r:25?starttls=required").encryption == .startTLS)
        #expect(try Self.relay("smtp://r:25/?starttls=never").encryption == .none)
        let full = try Self.relay("smtps://ma%40il%3Aer@[::1]:4650", password: "geheim")
        #expect(full.host == "::1" && full.port == 4650 && full.user == "ma@il:er" && full.encryption == .implicit)
        #expect(full.url == "smtps://[::1]:4650" && full.origin == "[::1]:4650")
        #expect(try Self.relay("smtps://r").port == 465)
    }

    @Test(
        "settings that cannot be used are refused, without repeating them",
        arguments: [
            "", "relay", "http://geheim", "smtp://", "smtp:///", "smtp://geheim:x", "smtp://geheim:0",
            "smtp://geheim:65536", "smtp://geheim:+5", "smtp://ge heim", "smtp://ge/heim", "smtp://geheim/path",
            "smtp://geheim?tls=no", "smtp://geheim?starttls=maybe", "smtps://geheim?starttls=required",
            "smtp://u:geheim@r", "smtp://geheim@r", "smtp://%zz@geheim", "smtp://@geheim", "smtp://[geheim]",
            "smtp://[::1", "smtp://[::1]geheim", "smtp://geheim#x", "smtp://ge,heim", "smtp://ge\r\nheim",
        ]
    )
    func refused(url: String) throws {
        let error = try #require(throws: MailError.self) { try Self.relay(url) }
        #expect(error.code == .invalidConfiguration && !error.message.contains("geheim"))
    }

    @Test("a password never goes over the network in the clear", arguments: ["r.example.org", "10.0.0.1", "[fe80::1]"])
    func cleartext(host: String) throws {
        #expect(throws: MailError.self) { try Self.relay("smtp://u@\(host)?starttls=never", password: "p") }
        _ = try Self.relay("smtp://\(host)?starttls=never")
        _ = try Self.relay("smtp://u@\(host)", password: "p")
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            _ = try Self.relay("smtp://u@\(host)?starttls=never", password: "p")
        }
        #expect(throws: MailError.self) { try Self.relay("smtp://u@127.example.org?starttls=never", password: "p") }
    }

    @Test("user and password come together")
    func credentials() throws {
        #expect(throws: MailError.self) { try Self.relay("smtp://r", password: "p") }
        #expect(throws: MailError.self) { try Self.relay("smtp://u@r") }
        let relay = try Self.relay("smtps://u@r", password: "geheim")
        #expect(!"\(relay)".contains("geheim") && !String(reflecting: relay).contains("geheim"))
    }
}
