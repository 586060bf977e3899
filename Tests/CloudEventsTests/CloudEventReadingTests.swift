import CloudEvents
import JSON
import Testing

@Suite("Reading a CloudEvent")
struct CloudEventReadingTests {
    @Test("one member decides", arguments: AttributeRow.all)
    func oneMember(row: AttributeRow) throws {
        let faults = try EventText([(row.name, row.value)]).faults()
        let isTold = row.fault != "missing"
        #expect(faults == (row.fault.map { ["\(isTold ? "/" + row.name : "") \($0)"] } ?? []))
    }

    @Test("every attribute is kept as it was written")
    func attributes() throws {
        let event = try EventText([
            ("id", #""e\u0301 \ud83d\ude00""#), ("subject", #""a/b""#), ("time", #""2018-04-05t17:31:00.250z""#),
            ("datacontenttype", #""Application/JSON; charset=utf-8""#), ("dataschema", #""urn:x:y""#),
            ("flag", "true"), ("n", "-7"), ("tracestate", #""a=b""#), ("data", "{ \"a\" : 1.0e0 }"),
        ]).event()
        #expect(Array(event.id.utf8) == Array("e\u{301} \u{1F600}".utf8))
        #expect(event.source == "/sensors/3")
        #expect(event.type == "com.example.reading")
        #expect(event.subject == "a/b")
        #expect(event.time == "2018-04-05t17:31:00.250z")
        #expect(event.datacontenttype == "Application/JSON; charset=utf-8")
        #expect(event.dataschema == "urn:x:y")
        #expect(event.extensions.map(\.name) == ["flag", "n", "tracestate"])
        #expect(event[extension: "flag"] == .boolean(true))
        #expect(event[extension: "n"] == .integer(-7))
        #expect(event[extension: "tracestate"]?.stringValue == "a=b")
        #expect(event.extensions.map(\.value.text) == ["true", "-7", "a=b"])
        #expect(event[extension: "id"] == nil)
        #expect(event.data.map { Array($0) } == Array(#"{ "a" : 1.0e0 }"#.utf8))
        #expect(event.dataBase64 == nil)
    }

    @Test("null data is no data, and binary data is kept as base64")
    func absentData() throws {
        let event = try EventText([("data", "null"), ("data_base64", #""\u0065\/0=""#)]).event()
        #expect(event.data == nil)
        #expect(event.dataBase64 == "e/0=")
    }

    @Test("names are compared unescaped")
    func escapedName() throws {
        #expect(try EventText([("id", nil), (#"\u0069d"#, #""1""#)]).event().id == "1")
    }

    @Test("data and binary data exclude each other, whichever stands first")
    func conflictingData() throws {
        let both = [("data", "{}"), ("data_base64", #""e30=""#)]
        #expect(try EventText(both).faults() == ["/data_base64 conflicting_data"])
        #expect(try EventText(both.reversed()).faults() == ["/data conflicting_data"])
        #expect(try EventText([("data", "false"), ("data_base64", "null")]).faults() == [])
    }

    @Test("all faults are told at once, in the order of the document")
    func allFaults() throws {
        let text = EventText([
            ("specversion", #""0.3""#), ("id", nil), ("source", "7"), ("type", nil), ("time", #""now""#), ("X", "1"),
            ("ext", "[]"), ("data", "1"), ("data_base64", #""e30=""#),
        ])
        #expect(
            try text.faults() == [
                "/specversion unsupported_version", "/source wrong_type", "/time invalid_time", "/X invalid_name",
                "/ext wrong_type", "/data_base64 conflicting_data", " missing", " missing",
            ]
        )
    }

    @Test("a required member that is wrong is not called missing as well")
    func wrongIsNotMissing() throws {
        let text = EventText([("id", "1"), ("type", #""""#), ("source", #""a b""#), ("specversion", "true")])
        let faults = ["/id wrong_type", "/type empty", "/source invalid_uri", "/specversion wrong_type"]
        #expect(try text.faults() == faults)
    }

    @Test("pointers begin with where the event stands, and escape its names")
    func pointers() throws {
        let batch = try JSONDocument(parsing: "[0,{\"a/b~\":1}]").root
        let view = try #require(batch[1])
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent(structured: view, at: JSONPointer(tokens: ["1"]))
        }
        #expect(error.faults.map(\.pointer.text) == ["/1/a~1b~0", "/1", "/1", "/1", "/1"])
        #expect(error.code == .invalidName)
        #expect(!error.code.isRetryable)
        #expect(error.message.hasPrefix("/1/a~1b~0: ") && error.message.hasSuffix("(the first of 5 faults)"))
    }

    @Test("input does not decide how large the answer is")
    func boundedFaults() throws {
        let members = (0..<1000).map { ("A\($0)", "1") } + [(String(repeating: "B", count: 1000), "1")]
        #expect(try EventText(members).faults().count == 64)
        let withMissing = [("id", nil), ("type", nil)] + members.prefix(63).map { ($0.0, $0.1 as String?) }
        #expect(try EventText(withMissing).faults().count == 64)
        #expect(try EventText([members[1000]]).faults() == [" invalid_name"])
    }

    @Test("only an object is an event", arguments: ["null", "[]", "1", "\"x\"", "true", #"[{"specversion":"1.0"}]"#])
    func notAnObject(text: String) throws {
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent(structured: JSONDocument(parsing: text))
        }
        #expect(error.faults.map(\.code) == [.notAnObject])
        #expect(error.faults.first?.pointer == .root)
    }
}
