import JSONSchema
import Testing

@Suite("Keywords of JSON Schema")
struct KeywordTests {
    @Test("each means what the standard says", arguments: KeywordRows.all)
    func keyword(_ row: SchemaRow) throws { try row.check() }
}
