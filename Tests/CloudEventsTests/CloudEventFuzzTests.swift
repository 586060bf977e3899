import CloudEvents
import JSON
import TestSupport
import Testing

@Suite("CloudEvents from mutated text")
struct CloudEventFuzzTests {
    private static let seeds = [
        EventText([
            ("subject", #""s""#), ("time", #""2016-12-31T23:59:60.5+00:00""#), ("datacontenttype", #""a/b;c=\"d\"""#),
            ("dataschema", #""http://[::1]:80/a?b""#), ("flag", "true"), ("n", "-12"), ("data", #"{"a":[1,null]}"#),
        ]).text,
        EventText([("source", #""http://u@[v1.a]:8/%20?#f""#), ("data_base64", #""AAA=""#), ("gone", "null")]).text,
        EventText([("id", #""\ud83d\ude00\u00a0é""#), ("data", #"" x ""#)]).text,
    ].map { Array($0.utf8) }

    /// Pieces that are likely to touch a rule.
    private static let pieces = [
        "null", "\"\"", "1.0", "0.3", "data_base64", "data", ":", "//", "[", "]", "::", "%", "#", "?", "=", "==", ";",
        "60", "-", "+", ".", "Z", "T", "\\u0000", "\\ufdd0", "\\ud83f\\udffe", "\u{FFFE}", "é", "2147483648", "{}", "/",
    ].map { Array($0.utf8) }

    @Test("nothing traps, and what is accepted survives being written")
    func mutations() throws {
        var random = SeededGenerator.random()
        var accepted = 0
        var refused = 0
        for _ in 0..<10_000 {
            guard var bytes = Self.seeds.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, using: &random) }
            guard let document = try? JSONDocument(parsing: bytes) else { continue }
            do throws(CloudEventError) {
                let event = try CloudEvent(structured: document)
                accepted += 1
                try expectSurvival(of: event)
            } catch {
                #expect(!error.faults.isEmpty && error.faults.count <= 64)
                #expect(error.faults.allSatisfy { document.root[$0.pointer] != nil }, "\(error.faults)")
                refused += 1
            }
        }
        #expect(accepted > 100 && refused > 100, "\(accepted) accepted, \(refused) refused")
    }

    private func expectSurvival(of event: CloudEvent) throws(CloudEventError) {
        let bytes = event.structuredBytes(extra: [("batutasignalid", "7")])
        guard let document = try? JSONDocument(parsing: bytes) else {
            Issue.record("\(String(decoding: bytes, as: UTF8.self)) is not JSON.")
            return
        }
        let again = try CloudEvent(structured: document)
        #expect(again[extension: "batutasignalid"] == .string("7"))
        #expect(again.structuredBytes(extra: [("batutasignalid", "7")]) == bytes)
        #expect(again.data.map { Array($0) } == event.data.map { Array($0) })
        #expect([again.id, again.source, again.type] == [event.id, event.source, event.type])
        #expect([again.subject, again.time, again.dataschema] == [event.subject, event.time, event.dataschema])
        #expect(again.datacontenttype == event.datacontenttype && again.dataBase64 == event.dataBase64)
        #expect(again.extensions.dropLast() == event.extensions[...])
    }

    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let length = Int.random(in: 0...min(4, bytes.count - at), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeSubrange(at..<at + length)
        case 1: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: at)
        case 2: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
        default:
            let piece = Self.pieces.randomElement(using: &random) ?? []
            bytes.replaceSubrange(at..<at + length, with: piece)
        }
    }
}
