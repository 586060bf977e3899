import CloudEvents
import JSON

/// The text of a minimal event, with members replaced, added or left out.
struct EventText {
    private var members = [
        (name: "specversion", value: #""1.0""#), (name: "id", value: #""1""#),
        (name: "source", value: #""/sensors/3""#), (name: "type", value: #""com.example.reading""#),
    ]

    /// Changes members; a value is JSON text, and nil leaves the member out.
    init(_ changes: [(String, String?)] = []) {
        for (name, value) in changes {
            members.removeAll { $0.name == name }
            if let value { members.append((name, value)) }
        }
    }

    var text: String { "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}" }

    /// Reads the event.
    func event() throws -> CloudEvent { try CloudEvent(structured: JSONDocument(parsing: text)) }

    /// What is wrong with the event, as pairs of a pointer and a code.
    func faults() throws -> [String] {
        let document = try JSONDocument(parsing: text)
        do throws(CloudEventError) {
            _ = try CloudEvent(structured: document)
            return []
        } catch {
            return error.faults.map { "\($0.pointer.text) \($0.code)" }
        }
    }
}
