package import Foundation
private import JSON

/// The bytes of signals as clients send them, and what they are told.
package enum SignalBody {
    /// The header fields of a CloudEvent in structured form.
    package static let structured = ["Content-Type": "application/cloudevents+json"]

    /// A CloudEvent in structured form.
    ///
    /// - Parameters:
    ///   - id: the event's id.
    ///   - type: its type.
    ///   - source: its source.
    ///   - data: its data, as JSON text.
    /// - Returns: the bytes.
    package static func event(id: String, type: String, source: String = "/tests", data: String) -> [UInt8] {
        var writer = JSONWriter(capacity: data.utf8.count + 256)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", id)
        writer.member("source", source)
        writer.member("type", type)
        writer.member("datacontenttype", "application/json")
        writer.key("data")
        writer.raw(data.utf8)
        writer.endObject()
        return writer.bytes
    }

    /// The `signal_id` of an answer.
    ///
    /// - Throws: `TestSupportError` when it has none.
    package static func signalID(_ answer: HTTPTestClient.Response) throws -> UUID {
        guard let text = try JSONValue(parsing: answer.body)["signal_id"]?.stringValue, let id = UUID(uuidString: text)
        else {
            throw TestSupportError(.commandFailed, "An answer has no signal_id: \(answer.text)")
        }
        return id
    }
}
