import CloudEvents
import JSON
import Testing

@Suite("Writing a CloudEvent")
struct StructuredFormTests {
    @Test("attributes come in one order, data comes last and unchanged")
    func order() throws {
        let text =
            #"{"data":{ "b" : [1.50, "\u0041"] } ,"x":true,"n":5,"s":"\"q\" \ud83d\ude00","type":"t","time"#
            + #"":"2018-04-05T17:31:00Z","subject":"u","dataschema":"a:b","datacontenttype":"a/b","source":"/"#
            + #"","id":"\u0069","specversion":"1.0","gone":null}"#
        let event = try CloudEvent(structured: JSONDocument(parsing: text))
        let expected =
            #"{"specversion":"1.0","id":"i","source":"/","type":"t","subject":"u","time":"2018-04-05T17:31:00Z","#
            + #""datacontenttype":"a/b","dataschema":"a:b","x":true,"n":5,"s":"\"q\" 😀","data":"#
            + #"{ "b" : [1.50, "\u0041"] }}"#
        #expect(String(decoding: event.structuredBytes(), as: UTF8.self) == expected)
    }

    @Test("added attributes stand before the data and replace the event's own")
    func extra() throws {
        let event = try EventText([("a", "1"), ("b", #""old""#), ("data_base64", #""e30=""#)]).event()
        let bytes = event.structuredBytes(extra: [("b", "new"), ("batutasignalid", "7\"\\")])
        let expected =
            #"{"specversion":"1.0","id":"1","source":"/sensors/3","type":"com.example.reading","a":1,"b":"new","#
            + #""batutasignalid":"7\"\\","data_base64":"e30="}"#
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        let again = try CloudEvent(structured: JSONDocument(parsing: bytes))
        #expect(again[extension: "batutasignalid"]?.stringValue == "7\"\\")
    }

    @Test("an event of the largest strings survives")
    func large() throws {
        let long = String(repeating: "é\\u00e9\\\"/", count: 5000)
        let event = try EventText([("subject", "\"\(long)\""), ("data", "\"\(long)\"")]).event()
        let again = try CloudEvent(structured: JSONDocument(parsing: event.structuredBytes()))
        #expect(again == event)
        #expect(again.subject?.utf8.count == 5000 * 6)
    }

    @Test("equality is by bytes, not by Unicode's canonical equivalence")
    func equality() throws {
        let composed = try EventText([("id", #""\u00e9""#)]).event()
        let decomposed = try EventText([("id", #""e\u0301""#)]).event()
        #expect(composed.id == decomposed.id)
        #expect(composed != decomposed)
        #expect(try composed == EventText([("id", #""é""#)]).event())
    }
}

@Suite("Content modes")
struct ContentModeTests {
    @Test(
        "the media type's beginning decides",
        arguments: [
            ("application/cloudevents", .structured), ("application/cloudevents+json", .structured),
            ("Application/CloudEvents+JSON; charset=utf-8", .structured),
            (" \tapplication/cloudevents+json", .structured),
            ("application/cloudevents-batch", .batched), ("application/cloudevents-batch+json", .batched),
            ("APPLICATION/CLOUDEVENTS-BATCH+JSON;charset=UTF-8", .batched),
            ("application/cloudevents-bat", .structured),
            ("application/json", .other), ("application/cloudevent", .other), ("", .other), (nil, .other),
            ("text/plain; a=application/cloudevents+json", .other), ("application/cloudevents\u{212A}", .structured),
            ("applicat\u{131}on/cloudevents", .other),
        ] as [(String?, ContentMode)]
    )
    func modes(contentType: String?, mode: ContentMode) {
        #expect(ContentMode(contentType: contentType) == mode)
    }
}
