import JSON
import JSONSchema
import Testing

@Suite("Regular expressions of schemas")
struct PatternTests {
    @Test("what matches and what does not", arguments: rows)
    func row(_ pattern: String, _ matching: [String], _ other: [String]) throws {
        let schema = try JSONSchema(#"{"type": "string", "pattern": \#(quoted(pattern))}"#)
        for (texts, expected) in [(matching, true), (other, false)] {
            for text in texts {
                #expect(schema.isValid(try json(quoted(text))) == expected, "\(pattern) and \(text.debugDescription)")
            }
        }
        #expect((schema.sample() == nil) == matching.isEmpty, "\(pattern): \(schema.sampleText ?? "no sample")")
    }

    private static let rows: [(String, [String], [String])] = [
        ("", ["", "a"], []),
        ("abc", ["abc", "xabcx"], ["ab", "ABC", ""]),
        ("^abc$", ["abc"], ["xabc", "abcx", "abc\n"]),
        ("^$", [""], ["a", "\n"]),
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("a^", [], ["a", "aa"]),
        ("$a", [], ["a"]),
        ("^^a$$", ["a"], ["aa"]),
        (".", ["a", "😀", "\u{0}"], ["", "\n", "\r", "\u{2028}"]),
        ("^.$", ["😀", "é"], ["e\u{301}", "ab"]),
        ("[a-c]", ["b"], ["d", "A"]),
        ("[^a-c]", ["d", "\n"], ["abc", ""]),
        ("[]", [], ["a", ""]),
        ("[^]", ["a", "\n"], [""]),
        ("^[-a]+$", ["-a-"], ["b"]),
        ("^[a-]+$", ["-a-"], ["b"]),
        ("^[a\\-z]+$", ["-az"], ["b"]),
        ("^[\\^\\]\\\\]+$", ["^]\\"], ["a"]),
        ("^[.*+?()|$]+$", [".*+?()|$"], ["a"]),
        ("^[\\d\\s]+$", ["1 2"], ["a"]),
        ("^[^\\d]$", ["a"], ["1"]),
        ("^[😀-😂]$", ["😁"], ["😃"]),
        ("\\d", ["7"], ["a", "٣"]),
        ("^\\D$", ["a", "٣"], ["7"]),
        ("^\\w+$", ["aZ_9"], ["é", "-"]),
        ("^\\W$", ["é"], ["a"]),
        ("^\\s+$", [" \t\n\u{A0}\u{FEFF}\u{2003}"], ["a", "\u{200B}"]),
        ("^\\S$", ["a"], [" "]),
        ("^\\x41\\u0042\\u{1F600}\\ud83d\\ude01$", ["AB😀😁"], ["AB"]),
        ("^\\t\\n\\v\\f\\r$", ["\t\n\u{B}\u{C}\r"], ["t"]),
        ("^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/$", ["^$\\.*+?()[]{}|/"], [""]),
        ("^a*$", ["", "aaa"], ["b"]),
        ("^a+$", ["a", "aaa"], ["", "ab"]),
        ("^ab?c$", ["ac", "abc"], ["abbc"]),
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^a{1,3}$", ["a", "aaa"], ["", "aaaa"]),
        ("^a{0}b$", ["b"], ["ab"]),
        ("^(ab|cd){2}$", ["abcd", "abab"], ["ab", "abc"]),
        ("^(?:a|b(?:c|d))e$", ["ae", "bce", "bde"], ["be", "ade"]),
        ("^(a*)*$", ["", "aaaa"], ["b"]),
        ("^(|a)+$", ["", "aa"], ["b"]),
        ("^(a?){3}$", ["", "aaa"], ["aaaa"]),
        ("a+?b*?c{1,2}?", ["ac", "aabbcc"], ["ab"]),
        ("^(a|ab)(c|bcd)$", ["ac", "abc", "abcd"], ["abcbcd!"]),
        ("^[^@]+@[^@]+\\.[a-z]{2,}$", ["a@b.example"], ["a@b", "a@b@c.example"]),
        ("^(?:0|[1-9][0-9]*)\\.(?:0|[1-9][0-9]*)$", ["0.1", "10.20"], ["01.1", "1."]),
        ("(^a)|(^b)", ["a", "b"], ["ca"]),
        ("(^|,)x(,|$)", ["x", "a,x", "x,a", "a,x,b"], ["ax", "xa"]),
    ]

    @Test(
        "what is no such expression is refused",
        arguments: [
            "(", ")", "a)", "(a", "[", "[a", "[b-a]", "[\\d-a]", "*", "+a", "?", "a**", "a{2}{3}", "^*", "$+", "{",
            "a{",
            "a{}", "a{,2}", "a{2", "a{2,1}", "a{x}", "}", "]", "\\", "a\\", "\\q", "\\-", "\\u12", "\\u{}",
            "\\u{110000}",
            "\\u{d800}", "\\ud800", "\\ud800\\u0041", "\\xg0", "[\\", "(?", "(?a", "(*a)",
            // What would need more than linear time, or what nobody has asked for.
            "(a)\\1", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?<n>a)", "\\k<n>", "\\p{L}", "\\bword", "\\B", "(?i:a)",
        ]
    )
    func refused(pattern: String) throws {
        #expect(try faults(#"{"pattern": \#(quoted(pattern))}"#) == ["invalid_pattern /pattern"], "\(pattern)")
    }

    @Test("patterns are as large as the limit, and no larger")
    func size() throws {
        func codes(_ pattern: String) throws -> [String] { try faults(#"{"pattern": \#(quoted(pattern))}"#) }
        let tooLarge = ["too_large /pattern"]
        #expect(try codes("a{1000}") == [])
        #expect(try codes("a{1001}") == tooLarge)
        #expect(try codes("a{99999999999999999999999}") == tooLarge)
        #expect(try codes("(a{1000}){19}") == [])
        #expect(try codes("(a{1000}){20}") == tooLarge)
        #expect(try codes("(((a{1000}){1000}){1000}){1000}") == tooLarge)
        #expect(try codes("(((){1000}){1000}){1000}") == tooLarge)
        #expect(try codes(String(repeating: "a", count: 1024)) == [])
        #expect(try codes(String(repeating: "a", count: 1025)) == tooLarge)
        #expect(try codes(String(repeating: "(", count: 31) + String(repeating: ")", count: 31)) == [])
        #expect(
            try codes(String(repeating: "(", count: 32) + String(repeating: ")", count: 32)) == [
                "invalid_pattern /pattern"
            ]
        )
        let three = #"{"allOf": [{"pattern": "a{999}"}, {"pattern": "(a{999}){19}"}, {"pattern": "a{999}"}]}"#
        #expect(try faults(three) == ["too_large /allOf/2/pattern"])
    }

    @Test(
        "patterns that hang a matcher that tries again end on long texts",
        arguments: ["^(a+)+$", "^(a*)*b$", "^(a|a)*$", "^(a|aa)+$", "(a+a+)+b", "^(([a-z])+.)+[A-Z]$", "(.*)*\\d$"]
    )
    func catastrophic(pattern: String) throws {
        let schema = try JSONSchema(#"{"pattern": \#(quoted(pattern))}"#)
        let text = quoted(String(repeating: "a", count: 20_000) + "!")
        #expect(try schema.outline(text) == ["pattern_mismatch pattern "])
    }

    @Test("a pattern of many states on a long text ends as too complex, and never as valid")
    func tooComplex() throws {
        let pattern = "(x?){1000}(x?){1000}(x?){1000}y"
        let text = quoted(String(repeating: "x", count: 100_000))
        let schema = try JSONSchema(#"{"pattern": "\#(pattern)"}"#)
        #expect(try schema.outline(text) == ["too_complex  "])
        let negated = try JSONSchema(#"{"not": {"pattern": "\#(pattern)"}}"#)
        #expect(!negated.isValid(try json(text)))
    }
}
