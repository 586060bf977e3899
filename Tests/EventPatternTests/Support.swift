import EventPattern
import JSON

/// Short ways to say what the tests are about.
func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: text).root }

func pattern(_ text: String) throws -> EventPattern { try EventPattern(compiling: json(text)) }

/// The faults of a pattern as "code pointer".
func faults(_ text: String, at pointer: JSONPointer = .root) throws -> [String] {
    let view = try json(text)
    do {
        _ = try EventPattern(compiling: view, at: pointer)
        return []
    } catch {
        return error.faults.map { "\($0.code) \($0.pointer)" }
    }
}
