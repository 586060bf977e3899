import JSONSchema
import Testing

@Suite("Formats of schemas")
struct FormatTests {
    @Test("what is in a format and what is not", arguments: rows)
    func row(_ format: String, _ valid: [String], _ invalid: [String]) throws {
        let schema = try JSONSchema(#"{"type": "string", "format": "\#(format)"}"#)
        for (texts, expected) in [(valid, true), (invalid, false)] {
            for text in texts {
                #expect(schema.isValid(try json(quoted(text))) == expected, "\(format) and \(text)")
            }
        }
        #expect(schema.sample() != nil)
        // A unique list needs samples that differ.
        let list =
            #"""
            {"type": "array", "items": {"type": "string", "format": "\#(format)"}, "minItems": 12,
            "uniqueItems": true}
            """#
        #expect(try JSONSchema(list).sample() != nil)
    }

    private static let rows: [(String, [String], [String])] = [
        (
            "date-time",
            [
                "2026-11-21T18:00:00Z", "2026-11-21t18:00:00.123456789z", "2024-02-29T00:00:00+14:00",
                "2016-12-31T23:59:60Z", "2017-01-01T01:29:60+01:30", "2016-12-31T18:59:60.5-05:00",
            ],
            [
                "", "2026-11-21", "2026-11-21T18:00:00", "2026-11-21 18:00:00Z", "2026-02-29T00:00:00Z",
                "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-31T00:00:00Z",
                "2026-11-21T24:00:00Z", "2026-11-21T18:60:00Z", "2026-11-21T18:00:61Z", "2026-11-21T18:00:60Z",
                "2026-11-21T18:00:00.Z", "2026-11-21T18:00:00+0100", "2026-11-21T18:00:00+24:00",
                "2026-11-21T18:00:00ZZ", "26-11-21T18:00:00Z", "２０26-11-21T18:00:00Z", "2026-1-1T1:1:1Z",
            ]
        ),
        (
            "date", ["2026-11-21", "0000-02-29", "2000-02-29"],
            ["2026-11-21Z", "1900-02-29", "2026-1-1", "20261121", "-026-11-21"]
        ),
        ("time", ["18:00:00Z", "23:59:60Z", "00:00:00.5-00:00"], ["18:00:00", "18:00Z", "24:00:00Z", "22:59:60Z"]),
        (
            "duration",
            ["P1Y", "P1Y2M3DT4H5M6S", "PT0S", "P4W", "P2M3D", "PT5M6S", "P0D", "PT36H"],
            [
                "", "P", "PT", "1Y", "P1", "P1S", "P1Y2D", "PT1H2S", "P1W2D", "P1DT", "P2M1Y", "P1.5D", "-P1D", "p1d",
                "P1YT",
            ]
        ),
        (
            "email",
            ["a@b.example", "first.last+tag@sub.example.org", "o'brien@example.org", "a@localhost"],
            [
                "", "a", "@b.example", "a@", "a@b@c.example", ".a@b.example", "a.@b.example", "a..b@c.example",
                "a b@c.example", "é@c.example", "a@-b.example", "\"a\"@b.example", "a@[192.0.2.1]",
            ]
        ),
        (
            "hostname",
            ["a", "www.example.org", "xn--bcher-kva.example", "1.2.3", String(repeating: "a", count: 63)],
            ["", ".", "a.", "-a", "a-", "a_b", "a..b", "bücher.example", String(repeating: "a", count: 64)]
        ),
        (
            "ipv4", ["0.0.0.0", "255.255.255.255", "192.0.2.1"],
            ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.x", "1..2.3", " 1.2.3.4", "0x1.2.3.4"]
        ),
        (
            "ipv6",
            [
                "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1::8", "::ffff:192.0.2.1", "1:2:3:4:5:6:1.2.3.4",
                "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "FE80::A",
            ],
            [
                "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:", "12345::", "g::", "fe80::1%eth0", "1.2.3.4", "::1.2.3.4.5", "::1.2.3.4:1",
                "1:2:3:4:5:6:7:1.2.3.4", "1::2:3:4:5:6:7:8",
            ]
        ),
        (
            "uri",
            [
                "https://example.org", "https://user:p%20w@example.org:8080/a/b;c?d=e&f#g", "urn:isbn:1",
                "mailto:a@b.example", "http://[2001:db8::1]:80/", "file:///etc/hosts", "a:", "tag:a,2026:b",
            ],
            [
                "", "/a", "example.org", "://a", "1a:b", "http://a b", "http://a/%zz", "http://a/%2", "http://[::1",
                "http://[1.2.3.4]/", "http://a:b/", "http://a/<b>", "http://é/", "http://a#b#c", "http://a/[b]",
                "ht tp://a",
            ]
        ),
        (
            "uuid", ["0193b2c4-0000-7000-8000-000000000001", "0193B2C4-ABCD-EF00-0000-FFFFFFFFFFFF"],
            [
                "", "0193b2c4000070008000000000000001", "0193b2c4-0000-7000-8000-00000000000",
                "0193b2c4-0000-7000-8000-0000000000011", "0193b2c4-0000-7000-8000-00000000000g",
                "{0193b2c4-0000-7000-8000-000000000001}",
            ]
        ),
    ]
}
