import JSON
import Testing

@Suite("JSON views, values and the writer")
struct JSONViewTests {
    @Test("a view reads what stands there")
    func view() throws {
        let text = #" { "a" : [ 1 , "x\n" , true , null , { } ] , "\u0062" : -2.50 } "#
        let root = try JSONDocument(parsing: text).root
        #expect(root.kind == .object && root.count == 2)
        #expect(root.members.map(\.key) == ["a", "b"])
        let array = try #require(root["a"])
        #expect(array.elements.map(\.kind) == [.number, .string, .bool, .null, .object])
        #expect(String(decoding: array.rawBytes, as: UTF8.self) == #"[ 1 , "x\n" , true , null , { } ]"#)
        #expect(array[0]?.int64Value == 1 && array[1]?.stringValue == "x\n" && array[2]?.boolValue == true)
        #expect(array[3]?.isNull == true && array[4]?.count == 0)
        #expect(array[5] == nil && array[-1] == nil && root[0] == nil && array["a"] == nil && root["c"] == nil)
        #expect(root["b"]?.number?.text == "-2.50" && root["b"]?.doubleValue == -2.5)
        #expect(array[1]?.isString("x\n") == true && array[1]?.isString("x") == false)
        #expect(array[0]?.stringValue == nil && array[0]?.withStringUTF8 { $0.count } == nil)
    }

    @Test("names and texts are compared byte for byte, in views and in values")
    func exactNames() throws {
        let root = try JSONDocument(parsing: #"{"e\u0301":1,"é":2}"#).root
        #expect(root["é"]?.int64Value == 2 && root["e\u{301}"]?.int64Value == 1)
        let value = root.value
        #expect(value["é"]?.int64Value == 2 && value["e\u{301}"]?.int64Value == 1)
        #expect(JSONValue.string("é") != .string("e\u{301}"))
        #expect(JSONMember("é", 1) != JSONMember("e\u{301}", 1))
        #expect(JSONMember("é", 1) == JSONMember("é", 1))
        #expect(JSONValue.object([JSONMember("a", "é")]) != ["a": "e\u{301}"])
        #expect(JSONValue.number(JSONNumber(1)) == 1 && JSONValue.null != false)
    }

    @Test("values of literals")
    func literals() throws {
        let value: JSONValue = ["a": [1, "x", true, nil], "b": [:]]
        #expect(try JSONValue(parsing: Array(#"{"a":[1,"x",true,null],"b":{}}"#.utf8)) == value)
        #expect(value["a"]?[1]?.stringValue == "x" && value["a"]?[4] == nil && value["b"]?.objectValue == [])
        #expect(value["a"]?.arrayValue?.count == 4 && value["a"]?[2]?.boolValue == true && value[0] == nil)
    }

    @Test("the writer sets commas and escapes")
    func writer() throws {
        var writer = JSONWriter(capacity: 0)
        writer.beginArray()
        writer.string("a\"\\/\u{0}\u{1F}\u{8}\t\n\u{C}\r\u{7F}é😀 and eight more")
        writer.number(.min)
        writer.number(0)
        writer.beginObject()
        writer.member("s", "x")
        writer.member("none", nil as String?)
        writer.member("n", 5)
        writer.member("t", true)
        writer.member("r", raw: Array("[1 ]".utf8))
        writer.key("k\n")
        writer.beginObject()
        writer.endObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.null()
        writer.bool(false)
        writer.raw("1.50".utf8)
        writer.endArray()
        let expected =
            "[\"a\\\"\\\\/\\u0000\\u001f\\b\\t\\n\\f\\r\u{7F}é😀 and eight more\",-9223372036854775808,0,"
            + #"{"s":"x","none":null,"n":5,"t":true,"r":[1 ],"k\n":{}},[],null,false,1.50]"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
        _ = try JSONDocument(parsing: writer.bytes)
    }
}
