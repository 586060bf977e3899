import JSON
import Testing

@Suite("JSON pointers (RFC 6901)")
struct JSONPointerTests {
    private static let document =
        #"{"foo":["bar","baz",{"x":[10]}],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"#
        + #""~1":9,"1":{"01":11},"é":12}"#

    @Test(
        "where they lead",
        arguments: [
            ("/foo/0", #""bar""#), ("/foo/2/x/0", "10"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
            ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"), ("/~01", "9"), ("/1/01", "11"),
            ("/é", "12"), ("/e\u{301}", nil), ("/foo/3", nil), ("/foo/-", nil), ("/foo/00", nil), ("/foo/01", nil),
            ("/foo/+1", nil), ("/foo/-1", nil), ("/foo/1.0", nil), ("/foo/", nil), ("/foo/0/", nil), ("/nope", nil),
            ("/foo/99999999999999999999", nil), ("//", nil), ("/foo/x", nil), ("/foo/١", nil),
        ] as [(String, String?)]
    )
    func resolution(text: String, expected: String?) throws {
        let pointer = try #require(JSONPointer(text))
        let root = try JSONDocument(parsing: Self.document).root
        #expect(root[pointer].map { String(decoding: $0.rawBytes, as: UTF8.self) } == expected)
        #expect(JSONPointer(tokens: pointer.tokens) == pointer)
    }

    @Test("the empty pointer is the whole document")
    func whole() throws {
        let root = try JSONDocument(parsing: Self.document).root
        #expect(root[.root]?.byteRange == root.byteRange)
        #expect(JSONPointer("") == .root && JSONPointer() == .root && JSONPointer.root.tokens.isEmpty)
    }

    @Test("what is no pointer", arguments: ["a", "a/b", "#/a", "/~", "/~2", "/a~", "/~~0", "~0", " /a"])
    func invalid(text: String) { #expect(JSONPointer(text) == nil) }

    @Test("tokens are escaped where they are appended")
    func appending() {
        let pointer = JSONPointer.root.appending("a/b").appending(3).appending("~1").appending("")
        #expect(pointer.text == "/a~1b/3/~01/")
        #expect(pointer.tokens == ["a/b", "3", "~1", ""])
        #expect(pointer.description == pointer.text)
    }
}
