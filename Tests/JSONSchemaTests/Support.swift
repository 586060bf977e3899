import JSON
import JSONSchema
import Testing

/// A schema and values that it allows and does not allow.
struct SchemaRow: Sendable, CustomTestStringConvertible {
    var schema: String
    var valid: [String]
    var invalid: [String]

    var testDescription: String { schema }

    init(_ schema: String, valid: [String], invalid: [String] = []) {
        self.schema = schema
        self.valid = valid
        self.invalid = invalid
    }

    /// Holds each value against the schema in both ways.
    func check(_ location: SourceLocation = #_sourceLocation) throws {
        let schema = try JSONSchema(self.schema)
        for (values, expected) in [(valid, true), (invalid, false)] {
            for value in values {
                let view = try json(value)
                #expect(schema.isValid(view) == expected, "\(self.schema) and \(value)", sourceLocation: location)
                let violations = schema.violations(in: view)
                #expect(violations.isEmpty == expected, "\(value): \(violations)", sourceLocation: location)
                #expect(!violations.contains { $0.code == .tooComplex }, "\(value)", sourceLocation: location)
            }
        }
        if let sample = schema.sample() {
            #expect(schema.isValid(try JSONDocument(parsing: sample).root), sourceLocation: location)
        }
    }
}

extension JSONSchema {
    /// Compiles a text.
    init(_ text: String) throws {
        try self.init(compiling: JSONDocument(parsing: text).root)
    }

    /// The violations of a text, each as code, keyword and pointer.
    func outline(_ text: String, limit: Int = 20) throws -> [String] {
        violations(in: try json(text), limit: limit).map { "\($0.code) \($0.keyword) \($0.pointer)" }
    }

    /// The sample as text.
    var sampleText: String? { sample().map { String(decoding: $0, as: UTF8.self) } }
}

func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: text).root }

/// The faults of a schema, each as code and pointer.
func faults(_ text: String, at pointer: JSONPointer = .root) throws -> [String] {
    let root = try JSONDocument(parsing: text).root
    do throws(JSONSchemaFaults) {
        _ = try JSONSchema(compiling: root, at: pointer)
        return []
    } catch {
        #expect(!error.faults.isEmpty && error.faults.count <= JSONSchemaFaults.maximumCount)
        #expect(error.faults.allSatisfy { $0.message.hasSuffix(".") })
        return error.faults.map { "\($0.code) \($0.pointer)" }
    }
}

/// A text as JSON writes it.
func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
}
