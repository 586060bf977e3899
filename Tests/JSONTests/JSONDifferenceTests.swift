import JSON
import Testing

@Suite struct JSONDifferenceTests {
    /// Differences as text: `pointer before -> after`.
    private func differences(_ before: String, _ after: String) throws -> [String] {
        let (before, after) = (try JSONDocument(parsing: before).root, try JSONDocument(parsing: after).root)
        func text(_ view: JSONView?) -> String {
            view.map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? "nothing"
        }
        return before.differences(to: after).map { "\($0.pointer) \(text($0.before)) -> \(text($0.after))" }
    }

    @Test(arguments: [
        (#"{"a":1,"b":[true,null]}"#, #"{ "b" : [true, null], "a" : 1.0 }"#), ("[]", "[ ]"), (#""\u0041""#, #""A""#),
        ("1e400", "1e400"),
    ])
    func equalDocumentsHaveNone(before: String, after: String) throws {
        #expect(try differences(before, after) == [])
    }

    @Test func membersAreAddedRemovedAndReplaced() throws {
        let found = try differences(
            #"{"name":"a","description":null,"old":{"x":1},"same":1}"#,
            #"{"name":"b","same":1,"new":[1],"description":"text"}"#
        )
        #expect(
            found == [
                #"/old {"x":1} -> nothing"#, #"/name "a" -> "b""#, "/new nothing -> [1]",
                #"/description null -> "text""#,
            ]
        )
    }

    @Test func namesAreEscaped() throws {
        #expect(try differences(#"{"a/b":{"~":1}}"#, #"{"a/b":{"~":2}}"#) == ["/a~1b/~0 1 -> 2"])
    }

    @Test(arguments: [
        ("[1,2,3]", "[1,9,2,3]", ["/1 nothing -> 9"]), ("[1,2,3]", "[1,3]", ["/1 2 -> nothing"]),
        ("[1,2,3]", "[1,9,3]", ["/1 2 -> 9"]), ("[1,1]", "[1,1,1]", ["/2 nothing -> 1"]),
        ("[1,1,1]", "[1]", ["/1 1 -> nothing", "/2 1 -> nothing"]), ("[]", "[1]", ["/0 nothing -> 1"]),
        ("[1,2]", "[3,4,5]", ["/0 1 -> 3", "/1 2 -> 4", "/2 nothing -> 5"]),
        (#"[{"n":"a","v":1},{"n":"b"}]"#, #"[{"n":"a","v":2},{"n":"b"}]"#, ["/0/v 1 -> 2"]),
        ("[1]", #"{"0":1}"#, [#" [1] -> {"0":1}"#]), ("1e400", "2e400", [" 1e400 -> 2e400"]),
    ])
    func arraysAndKinds(before: String, after: String, expected: [String]) throws {
        #expect(try differences(before, after) == expected)
    }
}
