import Foundation
import TestSupport
import Testing

@testable import Mail

@Suite("Messages", .timeLimit(.minutes(1))) struct MessageTests {
    private static func sender() throws -> MailAddress { try MailAddress("Batuta <no-reply@Example.ORG>") }

    private static func message(
        _ subject: String = "Hello",
        text: String? = "Hi",
        html: String? = nil
    ) throws -> MailMessage {
        MailMessage(
            key: "0198-run.tell",
            to: [try MailAddress("Ana <ana@b.org>")],
            subject: subject,
            text: text,
            html: html
        )
    }

    @Test("a message has these bytes, and no others")
    func bytes() throws {
        var message = try Self.message("Größe", text: "One\n.dot\r\nñ = \n", html: "<p>Hi</p>")
        message.cc = [try MailAddress("c@b.org"), try MailAddress(#""Doe, J." <d@b.org>"#)]
        message.bcc = [try MailAddress("hidden@b.org")]
        message.replyTo = [try MailAddress("desk@b.org")]
        message.fromName = "Tienda"
        let bytes = try message.bytes(from: Self.sender(), at: 1_763_688_555)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == """
                Date: Fri, 21 Nov 2025 01:29:15 +0000
                From: Tienda <no-reply@Example.ORG>
                Reply-To: desk@b.org
                To: Ana <ana@b.org>
                Cc: c@b.org,
                 "Doe, J." <d@b.org>
                Subject: =?UTF-8?B?R3LDtsOfZQ==?=
                Message-ID: <0198-run.tell@example.org>
                Auto-Submitted: auto-generated
                MIME-Version: 1.0
                Content-Type: multipart/alternative; boundary="=_batuta_alternative"

                --=_batuta_alternative
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                One
                =2Edot
                =C3=B1 =3D=20
                --=_batuta_alternative
                Content-Type: text/html; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                <p>Hi</p>
                --=_batuta_alternative--

                """.replacing("\n", with: "\r\n")
        )
        #expect(message.recipients == ["ana@b.org", "c@b.org", "d@b.org", "hidden@b.org"])
    }

    @Test("each recipient gets a message once, however often it is named")
    func recipients() throws {
        var message = try Self.message()
        message.cc = [try MailAddress("ana@B.ORG"), try MailAddress("Ana@b.org")]
        message.bcc = [try MailAddress("X <ana@b.org>")]
        #expect(message.recipients == ["ana@b.org", "Ana@b.org"], "a local part may know cases")
    }

    @Test(
        "what cannot be sent is refused",
        arguments: ["a\r\nBcc: x@y.org", "a\nb", "a\rb", "a\u{0}", "a\u{2028}b", String(repeating: "é", count: 500)]
    )
    func subjects(subject: String) throws {
        let message = try Self.message(subject)
        let error = try #require(throws: MailError.self) { try message.bytes(from: Self.sender(), at: 0) }
        #expect(error.code == .invalidMessage)
    }

    @Test("a message needs a recipient and a body, and has at most 100 recipients")
    func incomplete() throws {
        var nobody = try Self.message()
        nobody.to = []
        var many = try Self.message()
        many.bcc = try (0..<100).map { try MailAddress("a\($0)@b.org") }
        for message in [nobody, many, try Self.message(text: nil)] {
            #expect(throws: MailError.self) { try message.bytes(from: Self.sender(), at: 0) }
        }
    }

    @Test("the identity depends on key and domain alone, and different keys never have the same")
    func identity() throws {
        let sender = try Self.sender()
        func id(_ key: String) throws -> String {
            var message = try Self.message()
            message.key = key
            return message.id(from: sender)
        }
        #expect(try id("run.tell") == "<run.tell@example.org>")
        #expect(try id("run.tell") == id("run.tell"))
        #expect(try id("run.tell[3]") == "<run.tell=5b3=5d@example.org>")
        #expect(try id("a=5b") != id("a["))
        #expect(try id("a\r\n>@") == "<a=d=a=3e=40@example.org>")
    }

    /// Python's reader of mail has no line of ours in it.
    @Test("what another reader finds in a message is what was put in, whatever it was")
    func readBack() async throws {
        var random = SeededGenerator.random()
        var lines: [String] = []
        var expected: [[String?]] = []
        for _ in 0..<300 {
            let subject = Self.text(&random, upTo: 60, isLine: true)
            let name = String(Self.text(&random, upTo: 20, isLine: true).prefix(11))
            let text = Bool.random(using: &random) ? Self.text(&random, upTo: 200, isLine: false) : nil
            let html = text == nil || Bool.random(using: &random) ? Self.text(&random, upTo: 200, isLine: false) : nil
            var message = try Self.message(subject, text: text, html: html)
            message.to = [try MailAddress("to@b.org").named(name), try MailAddress("second@b.org")]
            let bytes = try message.bytes(from: Self.sender(), at: 1_763_688_555)
            Self.checkForm(bytes)
            lines.append(Data(bytes).base64EncodedString())
            expected.append([subject, Self.collapsed(name), text.map(Self.normalized), html.map(Self.normalized)])
        }
        let file = Command.temporaryURL("mails")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let output = try await Command.check("/usr/bin/env", ["python3", "-c", Self.reader, file.path])
        let read = try JSONDecoder().decode([[String?]].self, from: Data(output.utf8))
        #expect(read.count == expected.count)
        for (read, expected) in zip(read, expected) {
            #expect(read[0] == expected[0])
            #expect(read[1].map(Self.collapsed) == expected[1])
            #expect(read[2].map(Self.normalized) == expected[2] && read[3].map(Self.normalized) == expected[3])
        }
    }

    // MARK: - What the tests share

    /// Lines of ASCII within their length, none of which begins with a dot.
    private static func checkForm(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasSuffix("\r\n"))
        for line in text.components(separatedBy: "\r\n") {
            #expect(line.utf8.count <= 998 && line.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 9 })
            #expect(!line.hasPrefix("."), "\(line)")
        }
        let header = text.components(separatedBy: "\r\n\r\n")[0]
        let names = header.components(separatedBy: "\r\n").filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
        let known = [
            "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding",
        ]
        #expect(names.allSatisfy { known.contains(String($0)) }, "\(names)")
    }

    /// The line break before a boundary is the boundary's, so the last ones do not count.
    private static func normalized(_ text: String) -> String {
        var lines = text.replacingOccurrences(of: "\r\n", with: "\n", options: .literal)
            .replacingOccurrences(of: "\r", with: "\n", options: .literal)
        while lines.hasSuffix("\n") { lines.removeLast() }
        return lines
    }

    /// Python puts blanks between the encoded words of a name, which are not there.
    private static func collapsed(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.filter { $0 != " " }))
    }

    private static func text(_ random: inout SeededGenerator, upTo count: Int, isLine: Bool) -> String {
        let words = [
            "a", "word", " ", "  ", ".", "..", "=", "=?", "?=", "=?UTF-8?Q?a?=", "é", "ñandú", "用户", "👩‍👩‍👧", "\"", "\\",
            "<", ">",
            ",", ";", ":", "@", "(", ")", "From ", "--=_batuta_alternative", "\u{AD}", "e\u{301}",
            String(repeating: "x", count: 90), "Bcc: ",
        ]
        let breaks = ["\n", "\r\n", "\r", "\t", "\n.\n", "\n--=_batuta_alternative--\n", " \n", "\n\n", "\u{1}"]
        let all = isLine ? words : words + breaks
        return (0..<Int.random(in: 1...count, using: &random)).map { _ in all.randomElement(using: &random) ?? "" }
            .joined().prefix(isLine ? 50 : 4_000).description
    }

    private static let reader = """
        import base64, email, email.policy, json, sys
        found = []
        for line in open(sys.argv[1]):
            message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
            assert not message.defects, message.defects
            assert message["bcc"] is None and len(message["to"].addresses) == 2
            parts = {part.get_content_type(): part for part in message.walk() if not part.is_multipart()}
            assert not any(part.defects for part in parts.values())
            content = lambda kind: parts[kind].get_payload(decode=True).decode().replace("\\r\\n", "\\n") if kind in parts else None
            name = message["to"].addresses[0].display_name
            found.append([str(message["subject"]), name, content("text/plain"), content("text/html")])
        print(json.dumps(found))
        """
}
