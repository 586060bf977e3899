import OutboundHTTP
import TestSupport
import Testing

@Suite("URLs")
struct OutboundURLTests {
    @Test(
        "have one normal form",
        arguments: [
            ("http://example.com", "http://example.com/"), ("HTTPS://EXAMPLE.com:443/", "https://example.com/"),
            ("http://example.com:80", "http://example.com/"), ("http://example.com:443/", "http://example.com:443/"),
            ("http://example.com?a=b", "http://example.com/?a=b"), ("http://example.com#f", "http://example.com/"),
            ("http://example.com/a?b#c?d", "http://example.com/a?b"), ("http://example.com/?", "http://example.com/?"),
            ("http://xn--mnchen-3ya.de/", "http://xn--mnchen-3ya.de/"), ("http://8.8.8.8:81/", "http://8.8.8.8:81/"),
            ("http://[2606:4700:0:0::1111]/", "http://[2606:4700::1111]/"), ("http://a-b.c1/", "http://a-b.c1/"),
            ("http://[2606:4700::1111]:8443/x", "http://[2606:4700::1111]:8443/x"),
            ("http://h.test/a/./b/../c", "http://h.test/a/c"), ("http://h.test/../../x", "http://h.test/x"),
            ("http://h.test/a/..", "http://h.test/"), ("http://h.test/a//b/", "http://h.test/a//b/"),
            ("http://h.test/?a[b]=c|d", "http://h.test/?a%5Bb%5D=c%7Cd"), ("http://h.test/é", "http://h.test/%C3%A9"),
            ("http://h.test/%2e%2E/%7e", "http://h.test/%2e%2E/%7e"), ("http://h.test/a@b:c", "http://h.test/a@b:c"),
            ("http://h.test/?u=http://x@y/", "http://h.test/?u=http://x@y/"),
            ("http://h.test/\"<>^`{}", "http://h.test/%22%3C%3E%5E%60%7B%7D"),
        ]
    )
    func normalForm(text: String, expected: String) throws {
        let url = try OutboundURL(text)
        #expect(url.description == expected)
        #expect(try OutboundURL(expected) == url)
    }

    @Test(
        "resolve references as RFC 3986, section 5.4, says",
        arguments: [
            ("https://g.test/x", "https://g.test/x"), ("g", "http://a.test/b/c/g"), ("./g", "http://a.test/b/c/g"),
            ("g/", "http://a.test/b/c/g/"), ("/g", "http://a.test/g"), ("//g.test", "http://g.test/"),
            ("?y", "http://a.test/b/c/d;p?y"), ("g?y", "http://a.test/b/c/g?y"), ("#s", "http://a.test/b/c/d;p?q"),
            ("g#s", "http://a.test/b/c/g"), ("g?y#s", "http://a.test/b/c/g?y"), (";x", "http://a.test/b/c/;x"),
            ("", "http://a.test/b/c/d;p?q"), (".", "http://a.test/b/c/"), ("./", "http://a.test/b/c/"),
            ("..", "http://a.test/b/"), ("../g", "http://a.test/b/g"), ("../..", "http://a.test/"),
            ("../../../g", "http://a.test/g"), ("/./g", "http://a.test/g"), ("/../g", "http://a.test/g"),
            ("g.", "http://a.test/b/c/g."), ("..g", "http://a.test/b/c/..g"), ("./../g", "http://a.test/b/g"),
            ("g;x=1/../y", "http://a.test/b/c/y"), ("g?y/../x", "http://a.test/b/c/g?y/../x"),
            ("./a:b", "http://a.test/b/c/a:b"), ("//g.test:8080/?q", "http://g.test:8080/?q"),
        ]
    )
    func references(reference: String, expected: String) throws {
        let base = try OutboundURL("http://a.test/b/c/d;p?q")
        #expect(try base.resolving(reference).description == expected)
    }

    @Test(
        "refuse references that lead to no URL",
        arguments: [
            "file:///etc/passwd", "javascript:x", "http:g", "//", "//user@host/", "//127.1/", "///x", "\\\\host\\x",
            "/a b", "/%", "a:b", "/\u{0}", "http://0x7f.1/", ":x",
        ]
    )
    func badReferences(reference: String) throws {
        let base = try OutboundURL("http://a.test/b/c/d;p?q")
        let error = failure { () throws(OutboundError) in try base.resolving(reference) }
        #expect(error?.code == .invalidURL)
    }

    @Test("are limited in length")
    func length() throws {
        let start = "http://h.test/"
        let longest = start + String(repeating: "a", count: OutboundURL.lengthLimit - start.utf8.count)
        #expect(try OutboundURL(longest).description == longest)
        let error = failure { () throws(OutboundError) in try OutboundURL(longest + "a") }
        #expect(error?.code == .invalidURL)
        let label = String(repeating: "a", count: 63)
        #expect(try OutboundURL("http://\(label)/").origin.host == .name(label))
        let tooLong = failure { () throws(OutboundError) in try OutboundURL("http://a\(label)/") }
        #expect(tooLong != nil)
    }

    @Test("of random text are refused, or have a normal form that means the same and holds only plain characters")
    func random() {
        var generator = SeededGenerator.random()
        let pieces = [
            "http", "https", ":", "//", "/", "?", "#", "@", "[", "]", "%", "%41", "%zz", "..", ".", "::1", "127.0.0.1",
            "0x7f", "1", "8080", "a", "é", "\u{301}", "\\", " ", "\n", "\u{0}", "\u{200B}", "xn--a", "-", "_", "٣", "。",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let start = Bool.random(using: &generator) ? "http://a" : ""
            let count = Int.random(in: 0..<12, using: &generator)
            let text = (0..<count).reduce(start) { text, _ in
                text + pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }
            guard let url = try? OutboundURL(text) else { continue }
            accepted += 1
            #expect((try? OutboundURL(url.description)) == url, "\(text.debugDescription)")
            #expect(url.description.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x5C }, "\(text)")
            #expect(!url.origin.description.contains("@") && !url.description.contains("#"), "\(text)")
        }
        #expect(accepted > 500)
    }
}
