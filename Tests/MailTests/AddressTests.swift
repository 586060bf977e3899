import TestSupport
import Testing

@testable import Mail

@Suite("Addresses") struct AddressTests {
    @Test(
        "an address is taken, with and without a name",
        arguments: [
            ("a@b.org", nil, "a@b.org"), ("  a@b.org ", nil, "a@b.org"), ("<a@b.org>", nil, "a@b.org"),
            ("first.last+tag@sub.Example.ORG", nil, "first.last+tag@sub.Example.ORG"),
            ("!#$%&'*+-/=?^_`{|}~@b", nil, "!#$%&'*+-/=?^_`{|}~@b"), ("root@localhost", nil, "root@localhost"),
            ("Ana María <ana@b.org>", "Ana María", "ana@b.org"), ("J. Doe <j@b.org>", "J. Doe", "j@b.org"),
            (#""Doe, J." <j@b.org>"#, "Doe, J.", "j@b.org"), (#""a\"b\\c"<j@b.org>"#, #"a"b\c"#, "j@b.org"),
            (#""" <j@b.org>"#, nil, "j@b.org"), ("用户 <u@xn--fiqs8s.org>", "用户", "u@xn--fiqs8s.org"),
        ]
    )
    func taken(text: String, name: String?, spec: String) throws {
        let address = try MailAddress(text)
        #expect(address.name == name && address.spec == spec)
    }

    @Test(
        "what is no address of one person is refused, and not repeated",
        arguments: [
            "", " ", "geheim", "@", "geheim@", "@b.org", "geheim@@b.org", "geheim@b@c.org", ".geheim@b.org",
            "geheim.@b.org", "ge..heim@b.org", "geheim@b..org", "geheim@.b.org", "geheim@b.org.", "geheim@-b.org",
            "geheim@b-.org", "geheim@b_c.org", "geheim@[127.0.0.1]", #""geheim x"@b.org"#, "geheim x@b.org",
            "geheim@b.org,c@d.org", "geheim@b.org c@d.org", "geheim@b.org;c@d.org", "x, geheim <a@b.org>",
            "geheim <a@b.org> x", "geheim <a@b.org", "geheim a@b.org>", "<<geheim@b.org>>", "<geheim@b.org><c@d.org>",
            "geheim (x) <a@b.org>", "geheim: a@b.org;", #"geheim "x" <a@b.org>"#, #""geheim <a@b.org>"#,
            #""geheim\"#, #""geheim" x <a@b.org>"#, "géheim@b.org", "geheim@bé.org", "geheim@b.org\r\nBcc: c@d.org",
            "geheim\n<a@b.org>", "geheim\u{0}@b.org", "geheim@b.org\n", "geheim\u{2028}<a@b.org>",
            "geheim\u{85}<a@b.org>",
            "geheim\t<a@b.org>", String(repeating: "g", count: 65) + "@b.org",
            "geheim@" + String(repeating: "b.", count: 130) + "org", "geheim@" + String(repeating: "b", count: 64),
            String(repeating: "geheim ", count: 30) + "<a@b.org>",
        ]
    )
    func refused(text: String) throws {
        let error = try #require(throws: MailError.self) { try MailAddress(text) }
        #expect(error.code == .invalidAddress && !error.isRetryable && !error.message.contains("geheim"))
    }

    @Test("a name cannot bring another line into a header", arguments: ["a\r\nBcc: x@y.org", "a\nb", "a\rb", "\u{0}"])
    func names(name: String) throws {
        let address = try MailAddress("a@b.org")
        #expect(throws: MailError.self) { try address.named(name) }
    }

    @Test("whatever is taken is ASCII, has one @, and no blank, and is what it was read from")
    func fuzz() throws {
        var random = SeededGenerator.random()
        let parts = [
            "a", "b.org", "@", "<", ">", "\"", "\\", " ", ".", "-", ",", ";", ":", "(", ")", "\r\n", "\n", "é",
            "\u{301}",
            "\u{0}", "用", "x@y.org", "Name ", "<a@b.org>", "\"q\" ", "=?UTF-8?B?YQ==?=", "\u{202E}",
        ]
        var taken = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in parts.randomElement(using: &random) ?? ""
            }
            .joined()
            guard let address = try? MailAddress(text) else { continue }
            taken += 1
            #expect(address.spec.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"<>,;:()\"\\".utf8.contains($0) })
            #expect(address.spec.utf8.count { $0 == UInt8(ascii: "@") } == 1 && text.contains(address.spec))
            #expect(address.name?.unicodeScalars.contains { $0.value < 0x20 } != true)
            #expect(try MailAddress("<\(address.spec)>").spec == address.spec)
        }
        #expect(taken > 100)
    }
}
