import CloudEvents
import JSON
import TestSupport
import Testing

@Suite("The binary form")
struct BinaryFormTests {
    private typealias Fields = [(name: String, value: String)]

    /// A message that differs in header fields, or in its body, from one that is valid.
    struct Row: Sendable, CustomTestStringConvertible {
        var fields: [(String, String)]
        var body = "{}"
        /// The member of the structured form, and its JSON; or the faults.
        var member: String?
        var json: String?
        var faults: [String] = []

        var testDescription: String { "\(fields) \(body.prefix(40))" }

        static func value(_ field: String, _ value: String, is json: String) -> Row {
            Row(fields: [(field, value)], member: String(field.dropFirst(3)).lowercased(), json: json)
        }

        static func data(_ type: String?, _ body: String, is json: String, in member: String = "data") -> Row {
            Row(fields: type.map { [("Content-Type", $0)] } ?? [], body: body, member: member, json: json)
        }

        static func fault(_ field: String, _ value: String, _ faults: String...) -> Row {
            Row(fields: [(field, value)], faults: faults)
        }
    }

    static let values: [Row] = [
        .value("ce-ext", "plain", is: #""plain""#),
        .value("CE-Ext", "Euro%20%e2%82%ac%20%F0%9F%98%80", is: #""Euro € 😀""#),
        .value("ce-ext", #""quoted value""#, is: #""quoted value""#),
        .value("ce-ext", #""a\"b\\c""#, is: #""a\"b\\c""#),
        .value("ce-ext", #""""#, is: #""""#),
        .value("ce-ext", "%2541", is: #""%41""#),
        .value("ce-ext", "a b", is: #""a b""#),
        .value("ce-ext", "true", is: #""true""#),
        .value("ce-subject", "a%2Fb", is: #""a/b""#),
        .value("ce-id", "%C3%A9", is: #""é""#),
        .value("ce-time", "2018-04-05T17:31:00.5Z", is: #""2018-04-05T17:31:00.5Z""#),
    ]

    static let data: [Row] = [
        .data("application/json", " {\"a\" : 1.0e0}\n", is: "{\"a\" : 1.0e0}"),
        .data("Application/Problem+JSON; charset=utf-8", "[1]", is: "[1]"),
        .data("text/json", "[null]", is: "[null]"),
        .data(nil, "true", is: "true"),
        .data("text/plain", "{\"a\"\n", is: #""{\"a\"\n""#),
        .data("application/xml", "<a/>", is: #""<a/>""#),
        .data("application/x-www-form-urlencoded; charset=\"UTF-8\"", "a=b", is: #""a=b""#),
        .data("text/plain; charset=latin1", "x", is: #""eA==""#, in: "data_base64"),
        .data("application/octet-stream", "foobar", is: #""Zm9vYmFy""#, in: "data_base64"),
        .data("image/png", "fooba", is: #""Zm9vYmE=""#, in: "data_base64"),
    ]

    static let faults: [Row] = [
        .fault("ce-ext", "%C0%A0", "/ext invalid_encoding"),
        .fault("ce-ext", "%ED%A0%80", "/ext invalid_encoding"),
        .fault("ce-ext", "%", "/ext invalid_encoding"),
        .fault("ce-ext", "%4", "/ext invalid_encoding"),
        .fault("ce-ext", "%zz", "/ext invalid_encoding"),
        .fault("ce-ext", "é", "/ext invalid_encoding"),
        .fault("ce-ext", #""a"#, "/ext invalid_encoding"),
        .fault("ce-ext", #""a"b"#, "/ext invalid_encoding"),
        .fault("ce-ext", #""a\"#, "/ext invalid_encoding"),
        .fault("ce-ext", "%00", "/ext forbidden_character"),
        .fault("ce-ext", "%EF%BF%BF", "/ext forbidden_character"),
        .fault("ce-ext_1", "x", "/ext_1 invalid_name"),
        .fault("ce-data", "x", "/data misplaced"),
        .fault("ce-data_base64", "eA==", "/data_base64 invalid_name"),
        .fault("ce-datacontenttype", "application/json", "/datacontenttype misplaced"),
        .fault("ce-subject", "", "/subject empty"),
        .fault("ce-time", "yesterday", "/time invalid_time"),
        .fault("ce-dataschema", "x", "/dataschema invalid_uri"),
        .fault("ce-specversion", "0.3", "/specversion unsupported_version"),
        .fault("ce-id", "%zz", "/id invalid_encoding"),
        .fault("ce-type", String(repeating: "t", count: 256), "/type too_long"),
        .fault("Content-Type", "json", "/datacontenttype invalid_media_type"),
        Row(fields: [("Content-Type", "application/json")], body: "{", faults: ["/data invalid_json"]),
        Row(fields: [("Content-Type", "application/json")], body: "1,\"id\":\"2\"", faults: ["/data invalid_json"]),
        Row(fields: [], body: "hello", faults: ["/data invalid_json"]),
        Row(fields: [("ce-ext", "1"), ("CE-EXT", "1")], faults: ["/ext repeated"]),
        Row(
            fields: [("ce-Id", ""), ("ce-source", "a b"), ("ce-x", "%"), ("Content-Type", "a/json")],
            body: "[",
            faults: ["/id empty", "/source invalid_uri", "/x invalid_encoding", "/data invalid_json"]
        ),
    ]

    @Test("attributes are decoded and data is kept", arguments: values + data)
    func reading(row: Row) throws {
        let event = try CloudEvent(binary: Self.fields(row), body: Array(row.body.utf8))
        let written = try JSONDocument(parsing: event.structuredBytes()).root
        let name = try #require(row.member)
        let member = try #require(written[name])
        #expect(String(decoding: member.rawBytes, as: UTF8.self) == row.json)
        #expect(try CloudEvent(structured: JSONDocument(parsing: event.structuredBytes())) == event)
    }

    @Test("what is no event is refused with all its faults", arguments: faults)
    func refusing(row: Row) throws {
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent(binary: Self.fields(row), body: Array(row.body.utf8))
        }
        #expect(error.faults.map { "\($0.pointer.text) \($0.code)" } == row.faults)
    }

    @Test("required attributes are missed one by one", arguments: ["specversion", "id", "source", "type"])
    func missing(name: String) throws {
        let fields = Self.minimal.filter { $0.name != "ce-\(name)" }
        let error = try #require(throws: CloudEventError.self) { _ = try CloudEvent(binary: fields, body: []) }
        #expect(error.faults.map(\.code) == [.missing])
        #expect(error.message.contains(name))
    }

    @Test("a body that is no UTF-8 is base64 unless it has to be JSON")
    func bytes() throws {
        let body: [UInt8] = [0xFF, 0, 0x80]
        let text = try CloudEvent(binary: Self.minimal + [("content-type", "text/plain")], body: body)
        #expect(text.dataBase64 == "/wCA" && text.data == nil && text.datacontenttype == "text/plain")
        #expect(throws: CloudEventError.self) {
            _ = try CloudEvent(binary: Self.minimal + [("content-type", "application/json")], body: body)
        }
    }

    @Test("no body and null are no data", arguments: ["", "null", " null\n"])
    func none(body: String) throws {
        let none = try CloudEvent(binary: Self.minimal + [("content-type", "a/b+json")], body: Array(body.utf8))
        #expect(none.data == nil && none.dataBase64 == nil && none.datacontenttype == "a/b+json")
    }

    @Test("the deepest data still reads as part of its event")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        let event = try CloudEvent(binary: Self.minimal, body: nested(63))
        #expect(throws: Never.self) { _ = try JSONDocument(parsing: event.structuredBytes()) }
        #expect(throws: CloudEventError.self) { _ = try CloudEvent(binary: Self.minimal, body: nested(64)) }
    }

    @Test("input does not decide how large the answer is")
    func boundedFaults() throws {
        let fields = Self.minimal + (0..<1000).map { (name: "ce-a_\($0)", value: "%") }
        let error = try #require(throws: CloudEventError.self) { _ = try CloudEvent(binary: fields, body: []) }
        #expect(error.faults.count == 64)
    }

    @Test("random values come back as they were encoded")
    func roundTrip() throws {
        var random = SeededGenerator.random()
        for _ in 0..<500 {
            let scalars = (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0x20...0x2FFF, using: &random))
            }
            .filter { !(0x7F...0x9F).contains($0.value) }
            let text = String(String.UnicodeScalarView(scalars))
            let encoded = text.utf8.map { byte in
                (0x21...0x7E).contains(byte) && byte != 0x22 && byte != 0x25
                    ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            let fields = Self.minimal + [("ce-ext", encoded.joined())]
            let value = try CloudEvent(binary: fields, body: [])[extension: "ext"]?.stringValue
            #expect(value.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    private static let minimal: Fields = [
        ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"), ("User-Agent", "%"),
    ]

    private static func fields(_ row: Row) -> Fields {
        let changed = Set(row.fields.map { $0.0.lowercased() })
        return row.fields.map { (name: $0.0, value: $0.1) } + minimal.filter { !changed.contains($0.name) }
    }
}

@Suite("The batched form")
struct BatchedFormTests {
    @Test("a batch is its events in their order")
    func order() throws {
        let texts = ["1", "2", "1"].map { EventText([("id", "\"\($0)\"")]).text }
        let events = try CloudEvent.batch(JSONDocument(parsing: "[\(texts.joined(separator: " ,"))]"))
        #expect(events.map(\.id) == ["1", "2", "1"])
        #expect(try CloudEvent.batch(JSONDocument(parsing: "[ ]")).isEmpty)
    }

    @Test("every fault is told with the index of its event")
    func faults() throws {
        let texts = [EventText([("id", nil)]).text, EventText().text, "7", EventText([("X", "1"), ("id", "1")]).text]
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent.batch(JSONDocument(parsing: "[\(texts.joined(separator: ","))]"))
        }
        #expect(
            error.faults.map { "\($0.pointer.text) \($0.code)" } == [
                "/0 missing", "/2 not_an_object", "/3/X invalid_name", "/3/id wrong_type",
            ]
        )
    }

    @Test("only an array is a batch", arguments: ["{}", "null", "\"[]\"", EventText().text])
    func notAnArray(text: String) throws {
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent.batch(JSONDocument(parsing: text))
        }
        #expect(error.faults.map(\.code) == [.notAnArray])
    }

    @Test("input does not decide how large the answer is")
    func boundedFaults() throws {
        let error = try #require(throws: CloudEventError.self) {
            _ = try CloudEvent.batch(
                JSONDocument(parsing: "[\(Array(repeating: "{}", count: 500).joined(separator: ","))]")
            )
        }
        #expect(error.faults.count == 64)
        #expect(error.faults.last?.pointer.text == "/15")
    }
}
