package import JSON

/// Which requests a service answers, and how.
package struct RequestRoutes: Sendable {
    /// Answers one request; it throws a `Problem` to refuse it.
    package typealias Handler = @Sendable (RequestContext, JSONDocument) async throws -> Reply

    private var handlers: [String: Handler] = [:]

    package init() {}

    /// Answers requests of a type.
    package mutating func on(_ type: String, _ handler: @escaping Handler) {
        precondition(handlers[type] == nil, "two handlers for \(type)")
        handlers[type] = handler
    }

    /// The types that are answered, sorted.
    package var types: [String] { handlers.keys.sorted() }

    subscript(type: String) -> Handler? { handlers[type] }
}
