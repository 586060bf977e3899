import Foundation
import JSON
import TestSupport
import Testing

@Suite("JSON from random documents")
struct JSONRandomTests {
    @Test("a value survives being written, read and made canonical")
    func roundTrip() throws {
        var random = SeededGenerator.random()
        for _ in 0..<500 {
            let value = RandomJSON.value(depth: 5, using: &random)
            let text = RandomJSON.text(of: value, using: &random)
            let document = try JSONDocument(parsing: text)
            #expect(document.root.value == value)
            let canonical = try value.canonicalBytes()
            #expect(try document.root.canonicalBytes() == canonical)
            let again = try JSONDocument(parsing: canonical).root
            #expect(try again.canonicalBytes() == canonical)
            #expect(RandomJSON.sorted(again.value) == RandomJSON.sorted(value))
        }
    }

    @Test("nothing traps, and what is accepted reads as Foundation reads it")
    func mutations() throws {
        var random = SeededGenerator.random()
        var counts = (accepted: 0, refused: 0)
        for _ in 0..<2000 {
            let value = RandomJSON.value(depth: 4, using: &random)
            var bytes = Array(RandomJSON.text(of: value, using: &random).utf8)
            for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, using: &random) }
            guard let document = try? JSONDocument(parsing: bytes) else {
                counts.refused += 1
                continue
            }
            counts.accepted += 1
            // Foundation refuses numbers that have no canonical form, as no double stands for them.
            guard let canonical = try? document.root.canonicalBytes() else { continue }
            #expect(try document.root.value.canonicalBytes() == canonical)
            let other = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(agrees(document.root, other), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(counts.accepted > 100 && counts.refused > 100, "\(counts)")
    }

    @Test("random bytes never trap")
    func noise() {
        var random = SeededGenerator.random()
        let alphabet = Array("[]{}:,\"\\u0e-+.dDtrfalsn 18\u{E9}\u{1F600}".utf8) + [0xFF, 0xC2, 0x80, 0x00, 0x1F]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...24, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            do throws(JSONParsingError) {
                let document = try JSONDocument(parsing: bytes)
                #expect(String(validating: document.bytes, as: UTF8.self) != nil)
            } catch {
                #expect((0...count).contains(error.offset) && error.line >= 1 && error.column >= 1)
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: at)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.insert(Array("0123456789eE.-+,[]{}:\" \\".utf8).randomElement(using: &random) ?? 0, at: at)
        default: bytes.insert(bytes[at], at: at)
        }
    }

    /// Whether Foundation read the same value; it may keep fewer digits of a number.
    private func agrees(_ view: JSONView, _ other: Any) -> Bool {
        switch view.kind {
        case .null: return other is NSNull
        case .bool: return (other as? NSNumber)?.boolValue == view.boolValue
        case .number:
            guard let mine = view.doubleValue, let number = other as? NSNumber else { return false }
            return abs(number.doubleValue - mine) <= abs(mine) * 1e-15
        case .string:
            guard let text = other as? String, let mine = view.stringValue else { return false }
            return Array(text.utf8) == Array(mine.utf8)
        case .array:
            guard let elements = other as? [Any], elements.count == view.count else { return false }
            return zip(view.elements, elements).allSatisfy(agrees)
        case .object:
            // Foundation holds canonically equivalent names for one; the generator makes none.
            guard let members = other as? [String: Any], members.count == view.count else { return false }
            return view.members.allSatisfy { member in members[member.key].map { agrees(member.value, $0) } ?? false }
        }
    }
}

/// Random values whose numbers any reader keeps, and random texts of them.
enum RandomJSON {
    static func value(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(Int64.random(in: -9_007_199_254_740_991...9_007_199_254_740_991, using: &random))
        case 3: return .number(Int64.random(in: -100...100, using: &random))
        case 4: return .string(text(using: &random))
        case 5:
            let count = Int.random(in: 0...5, using: &random)
            return .array((0..<count).map { _ in value(depth: depth - 1, using: &random) })
        default:
            var members: [JSONMember] = []
            for index in 0..<Int.random(in: 0...(depth == 5 ? 24 : 6), using: &random) {
                members.append(JSONMember(text(using: &random) + "\(index)", value(depth: depth - 1, using: &random)))
            }
            return .object(members)
        }
    }

    private static func text(using random: inout SeededGenerator) -> String {
        let characters: [String] = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "\u{7F}", "ß", "€", "\u{FB33}", "😀",
            "\u{FFFF}",
            "\u{10FFFF}", "name", "eight ch",
        ]
        return (0..<Int.random(in: 0...8, using: &random)).map { _ in characters.randomElement(using: &random) ?? "" }
            .joined()
    }

    /// A text of the value, with white space and escapes where they change nothing.
    static func text(of value: JSONValue, using random: inout SeededGenerator) -> String {
        let space = [" ", "\n", "\t \r", "", "", ""].randomElement(using: &random) ?? ""
        switch value {
        case .null: return space + "null"
        case .bool(let value): return "\(value)" + space
        case .number(let number): return space + number.text + space
        case .string(let text): return space + quoted(text, using: &random)
        case .array(let elements):
            return "[" + space + elements.map { text(of: $0, using: &random) }.joined(separator: ",") + "]"
        case .object(let members):
            let texts = members.map {
                quoted($0.key, using: &random) + space + ":" + text(of: $0.value, using: &random)
            }
            return space + "{" + space + texts.joined(separator: "," + space) + "}"
        }
    }

    private static func quoted(_ text: String, using random: inout SeededGenerator) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            guard scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || Int.random(in: 0..<4, using: &random) == 0
            else {
                quoted.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let hex = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return quoted + "\""
    }

    /// The value with its members in the order of their names.
    static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let members):
            .object(
                members.map { JSONMember($0.key, sorted($0.value)) }
                    .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            )
        case .null, .bool, .number, .string: value
        }
    }
}
