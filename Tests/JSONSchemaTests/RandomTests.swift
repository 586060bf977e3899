import JSON
import JSONSchema
import TestSupport
import Testing

@Suite("Random schemas and values")
struct RandomTests {
    private func compiled(_ text: String) throws -> JSONSchema? {
        let root = try JSONDocument(parsing: text).root
        do throws(JSONSchemaFaults) {
            return try JSONSchema(compiling: root)
        } catch {
            #expect(error.faults.allSatisfy { [.endlessReference].contains($0.code) }, "\(text): \(error)")
            return nil
        }
    }

    @Test("both ways of judging agree, and every sample is valid")
    func agreement() throws {
        var source = RandomSchema(random: .random())
        var samples = 0
        for _ in 0..<400 {
            let text = source.schema()
            guard let schema = try compiled(text) else { continue }
            for _ in 0..<4 {
                let value = source.value()
                let violations = schema.violations(in: try json(value))
                #expect(schema.isValid(try json(value)) == violations.isEmpty, "\(text) and \(value): \(violations)")
            }
            guard let sample = schema.sample() else { continue }
            samples += 1
            let root = try JSONDocument(parsing: sample).root
            #expect(schema.isValid(root), "\(text): \(String(decoding: sample, as: UTF8.self))")
            #expect(try root.canonicalBytes() == sample)
        }
        // About three of four have one; a finder that found none would prove nothing.
        #expect(samples > 100)
    }

    @Test("a schema and its double negation allow the same, and its negation what it does not")
    func negation() throws {
        var source = RandomSchema(random: .random())
        for _ in 0..<300 {
            let texts = source.negations()
            guard let plain = try compiled(texts.plain), let negated = try compiled(texts.negated) else { continue }
            guard let double = try compiled(texts.double) else { continue }
            for _ in 0..<4 {
                let value = try json(source.value())
                #expect(plain.isValid(value) == double.isValid(value), "\(texts.plain)")
                #expect(plain.isValid(value) != negated.isValid(value), "\(texts.plain)")
            }
        }
    }

    @Test("schemas with changed bytes compile or are refused, and never trap")
    func mutation() throws {
        var source = RandomSchema(random: .random())
        let pieces = [
            "\"", "{", "}", "[", "]", ",", ":", "1", "-1", "1e999", "null", "true", "\"$ref\"", "\"#\"", "\"type\"",
            "\\u0000", "(",
            "{1,1000}", "é", "\"minLength\"", "\"pattern\"", "99999999999999999999",
        ]
        for _ in 0..<3000 {
            var bytes = Array(source.schema().utf8)
            for _ in 0..<Int.random(in: 1...3, using: &source.random) {
                let at = Int.random(in: 0..<bytes.count, using: &source.random)
                switch source.count(2) {
                case 0: bytes[at] = UInt8.random(in: 0x20...0x7E, using: &source.random)
                case 1: bytes.insert(contentsOf: source.pick(pieces).utf8, at: at)
                default: bytes.removeSubrange(at..<min(at + source.count(8), bytes.count))
                }
                guard !bytes.isEmpty else { break }
            }
            guard let root = try? JSONDocument(parsing: bytes).root, let schema = try? JSONSchema(compiling: root)
            else {
                continue
            }
            let value = try json(source.value())
            #expect(schema.isValid(value) == schema.violations(in: value).isEmpty)
            _ = schema.sample()
        }
    }
}
