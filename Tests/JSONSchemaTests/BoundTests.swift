import JSON
import JSONSchema
import Testing

@Suite("Bounds of schemas")
struct BoundTests {
    private func nested(_ depth: Int, _ open: String, _ inside: String, _ close: String) -> String {
        String(repeating: open, count: depth) + inside + String(repeating: close, count: depth)
    }

    @Test("a schema has as many bytes, subschemas, levels, values and names as the limit, and no more")
    func schemas() throws {
        func list(_ count: Int, _ element: (Int) -> String) -> String {
            (0..<count).map(element).joined(separator: ",")
        }
        let cases: [(String, [String])] = [
            (nested(31, #"{"items":"#, "{}", "}"), []),
            (nested(32, #"{"items":"#, "{}", "}"), ["too_deep " + String(repeating: "/items", count: 32)]),
            (#"{"enum": [\#(list(1000) { "\($0)" })]}"#, []),
            (#"{"enum": [\#(list(1001) { "\($0)" })]}"#, ["too_large /enum"]),
            (#"{"required": [\#(list(1000) { "\"\($0)\"" })]}"#, []),
            (#"{"required": [\#(list(1001) { "\"\($0)\"" })]}"#, ["too_large /required"]),
            (#"{"allOf": [\#(list(1999) { _ in "true" })]}"#, []),
            (#"{"allOf": [\#(list(2000) { _ in "true" })]}"#, ["too_large /allOf/1999"]),
            (#"{"$defs": {\#(list(1999) { "\"\($0)\": true" })}}"#, []),
            (#"{"$defs": {\#(list(2000) { "\"\($0)\": true" })}}"#, ["too_large "]),
            (#"{"title": "\#(String(repeating: "a", count: 262_130))"}"#, []),
            (#"{"title": "\#(String(repeating: "a", count: 262_144))"}"#, ["too_large "]),
        ]
        for (schema, expected) in cases {
            #expect(try faults(schema) == expected, "\(schema.prefix(60))")
        }
    }

    @Test("a chain of references is as long as the limit, and no longer")
    func chains() throws {
        func chain(_ count: Int) -> String {
            let links = (1..<count).map { ##""d\##($0)": {"$ref": "#/$defs/d\##($0 + 1)"}"## }
            return
                ##"""
                {"$ref": "#/$defs/d1",
                "$defs": {\##(links.joined(separator: ","))\##(count > 1 ? "," : "") "d\##(count)": true}}
                """##
        }
        #expect(try faults(chain(31)) == [])
        #expect(try faults(chain(32)) == ["too_deep "])
        #expect(try faults(chain(1500)).count == 1)
    }

    @Test("references that fork at every level are followed once for each value")
    func forks() throws {
        // Without memory of what was found, these take 2^30 and 2^60 steps.
        let links = (0..<28).map {
            ##""d\##($0)": {"anyOf": [{"$ref": "#/$defs/d\##($0 + 1)"}, {"$ref": "#/$defs/d\##($0 + 1)"}]}"##
        }
        let inPlace = try JSONSchema(
            ##"""
            {"$ref": "#/$defs/d0", "$defs": {\##(links.prefix(14).joined(separator: ",")),
            "d14": {"type": "null"}}}
            """##
        )
        #expect(inPlace.isValid(try json("null")))
        #expect(try inPlace.outline("1").count == 1)
        let deep = try JSONSchema(
            ##"""
            {"type": "object", "properties": {"x": {"oneOf": [{"$ref": "#"}, {"allOf": [{"$ref": "#"},
            {"type": "null"}]}, {"type": "integer"}]}}}
            """##
        )
        #expect(deep.isValid(try json(nested(60, #"{"x":"#, "1", "}"))))
        let found = try deep.outline(nested(60, #"{"x":"#, "1.5", "}"))
        #expect(!found.isEmpty && !found.contains("too_complex  "), "\(found)")
        let conjunction = try JSONSchema(
            ##"{"properties": {"x": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "not": {"required": ["y"]}}"##
        )
        #expect(conjunction.isValid(try json(nested(60, #"{"x":"#, "{}", "}"))))
        #expect(try conjunction.outline(nested(60, #"{"x":"#, #"{"y": 1}"#, "}")).count == 1)
    }

    @Test("a value as deep as documents may be never overflows the stack, and is judged or called too complex")
    func depth() async throws {
        let schema = try JSONSchema(##"{"items": {"allOf": [{"anyOf": [{"$ref": "#"}]}]}}"##)
        let limits = JSONLimits(maximumDepth: 512)
        // A task of the pool has the smallest stack.
        let (shallow, deep) = try await Task.detached {
            let shallow = try JSONDocument(
                parsing: String(repeating: "[", count: 120) + String(repeating: "]", count: 120),
                limits: limits
            )
            let deep = try JSONDocument(
                parsing: String(repeating: "[", count: 512) + String(repeating: "]", count: 512),
                limits: limits
            )
            return (schema.violations(in: shallow.root), schema.violations(in: deep.root))
        }.value
        #expect(shallow.isEmpty)
        #expect(deep.map(\.code) == [.tooComplex])
    }

    @Test("large values of every shape are judged within the steps")
    func largeValues() throws {
        func list(_ count: Int, _ element: (Int) -> String) -> String {
            (0..<count).map(element).joined(separator: ",")
        }
        let schema = try JSONSchema(
            ##"""
            {"type": "array", "uniqueItems": true, "items": {"anyOf": [
              {"type": "integer", "minimum": 0, "multipleOf": 1},
              {"type": "string", "minLength": 1, "pattern": "^[a-z0-9-]{1,200}$"},
              {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "tags": {"$ref": "#/$defs/tags"}}}]},
             "$defs": {"tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}}}}
            """##
        )
        let values = [
            "[\(list(40_000) { "\($0)" })]",
            "[\(list(8000) { "\"item-number-\($0)\"" })]",
            "[\(list(5000) { #"{"id": \#($0), "tags": ["a", "b"], "n": "x"}"# })]",
        ]
        for value in values {
            #expect(value.utf8.count > 140_000 && value.utf8.count < 260_000)
            #expect(try schema.outline(value) == [])
        }
    }

    @Test("work that grows with the product of schema and value ends as too complex")
    func products() throws {
        let lists = (0..<900).map { #"{"items": {"minimum": \#($0)}}"# }.joined(separator: ",")
        let value = try json("[\((0..<20_000).map { _ in "1000" }.joined(separator: ","))]")
        let schema = try JSONSchema(#"{"allOf": [\#(lists)]}"#)
        #expect(schema.violations(in: value).map(\.code) == [.tooComplex])
        // What is not known to be valid is not known to be invalid either.
        let negated = try JSONSchema(#"{"not": {"allOf": [\#(lists)]}}"#)
        #expect(!negated.isValid(value))
    }

    @Test("long numbers and giant exponents are compared, and never trap")
    func longNumbers() throws {
        let digits = String(repeating: "7", count: 20_000)
        let exponents = [
            "99999999999999999999999", "-99999999999999999999999", "9223372036854775807", "-9223372036854775808",
        ]
        let schemas = [
            #"{"type": "integer"}"#, #"{"minimum": 1}"#, #"{"multipleOf": 0.07}"#, #"{"const": 1}"#,
            #"{"enum": [1e400]}"#,
            #"{"maximum": 1e99999999999999999999999}"#, #"{"multipleOf": 1e-99999999999999999999999}"#,
            #"{"minimum": -1e-99999999999999999999999, "exclusiveMaximum": 1e9223372036854775807}"#,
        ]
        for schema in schemas {
            let schema = try JSONSchema(schema)
            for exponent in exponents {
                for text in ["1e\(exponent)", "-0.\(digits)e\(exponent)", "\(digits)e\(exponent)", "0e\(exponent)"] {
                    let value = try json(text)
                    #expect(schema.isValid(value) == schema.violations(in: value).isEmpty)
                }
            }
            _ = schema.sample()
        }
        #expect(try JSONSchema(#"{"multipleOf": 7}"#).isValid(json(digits)))
        #expect(try JSONSchema(#"{"type": "integer"}"#).isValid(json("0e-99999999999999999999")))
        #expect(try !JSONSchema(#"{"type": "integer"}"#).isValid(json("1e-99999999999999999999")))
    }
}
