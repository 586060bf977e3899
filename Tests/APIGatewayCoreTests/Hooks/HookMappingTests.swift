import JSON
import Testing

@testable import APIGatewayCore

@Suite struct HookMappingTests {
    @Test(arguments: [
        (["/a"], #"{"a":{"b":[1.50]},"c":1}"#, #"{"a":{"b":[1.50]}}"#),
        (["/c", "/a/b"], #"{"a":{"x":1,"b":2},"b":3,"c":{}}"#, #"{"a":{"b":2},"c":{}}"#),
        (["/a/b", "/a"], #"{"a":{"x":1,"b":2}}"#, #"{"a":{"x":1,"b":2}}"#),
        (["/a", "/a/b"], #"{"a":{"x":1,"b":2}}"#, #"{"a":{"x":1,"b":2}}"#),
        (["/a/0"], #"{"a":[1,2],"0":3}"#, "{}"), (["/a/b"], #"{"a":"b"}"#, "{}"), (["/z"], #"{"a":1}"#, "{}"),
        (["/a~1b/~0"], #"{"a/b":{"~":null,"c":1}}"#, #"{"a\/b":{"~":null}}"#),
    ])
    func whatIsKept(pointers: [String], data: String, kept: String) throws {
        let list = pointers.map { "\"\($0)\"" }.joined(separator: ",")
        let tree = try #require(try mapping("{\"keep\":[\(list)]}", .github).keep)
        var writer = JSONWriter()
        tree.write(try JSONDocument(parsing: data).root, to: &writer)
        #expect(try JSONValue(parsing: writer.bytes) == JSONValue(parsing: Array(kept.utf8)))
    }

    @Test(
        arguments: [
            ("[]", .generic, ["/mapping"]), (#"{"keep":[]}"#, .github, ["/mapping/keep"]),
            (#"{"keep":["","a","/a",7]}"#, .github, ["/mapping/keep/0", "/mapping/keep/1", "/mapping/keep/3"]),
            (#"{"keep":["\#(String(repeating: "/a", count: 17))"]}"#, .github, ["/mapping/keep/0"]),
            (#"{"type":"/type"}"#, .github, ["/mapping/type"]), (#"{"x":1}"#, .generic, ["/mapping/x"]),
            (#"{"type":"type","id":1,"time":null}"#, .generic, ["/mapping/type", "/mapping/id", "/mapping/time"]),
            (#"{"type":"/\#(String(repeating: "t", count: 5_000))"}"#, .generic, ["/mapping"]),
        ] as [(String, HookKind, [String])]
    )
    func wrongMappings(text: String, kind: HookKind, pointers: [String]) throws {
        var faults: [GatewayProblem.Fault] = []
        _ = HookMapping(try JSONDocument(parsing: text).root, of: kind, faults: &faults)
        #expect(faults.map(\.pointer) == pointers)
    }

    @Test func aGenericMapping() throws {
        let mapping = try mapping(#"{"type":"/t","id":"/i","data":"","source":"/s","time":"/x","subject":"/y"}"#)
        #expect(mapping.type?.text == "/t" && mapping.id?.text == "/i" && mapping.data == .root)
        #expect(mapping.keep == nil)
    }

    private func mapping(_ text: String, _ kind: HookKind = .generic) throws -> HookMapping {
        var faults: [GatewayProblem.Fault] = []
        let mapping = HookMapping(try JSONDocument(parsing: text).root, of: kind, faults: &faults)
        #expect(faults.isEmpty)
        return mapping
    }
}
