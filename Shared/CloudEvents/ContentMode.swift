/// How an HTTP message carries CloudEvents, by its `Content-Type` (HTTP protocol binding 1.0.2, section 3).
package enum ContentMode: Sendable, Hashable {
    /// The body is one event.
    case structured
    /// The body is an array of events.
    case batched
    /// The body is data; an event's attributes, if it is one, stand in headers.
    case other

    /// Reads the field: what counts is how it begins, in any case of letters.
    ///
    /// - Parameter contentType: The field's value, or nil where the message has none.
    package init(contentType: String?) {
        let field = (contentType ?? "").utf8.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        func begins(with prefix: String) -> Bool {
            field.count >= prefix.utf8.count
                && zip(field, prefix.utf8).allSatisfy { AttributeSyntax.lowercase($0) == $1 }
        }
        // A batch's media type begins like a single event's.
        if begins(with: "application/cloudevents-batch") {
            self = .batched
        } else if begins(with: "application/cloudevents") {
            self = .structured
        } else {
            self = .other
        }
    }
}
