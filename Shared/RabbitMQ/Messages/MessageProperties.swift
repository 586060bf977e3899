/// What stands beside a message's body.
package struct MessageProperties: Sendable, Equatable {
    package var contentType: String?
    package var contentEncoding: String?
    /// Whether the broker writes the message to disk in a durable queue.
    package var isPersistent = true
    package var messageID: String?
    package var correlationID: String?
    package var replyTo: String?
    package var type: String?
    /// Seconds since 1970.
    package var timestamp: Int64?
    /// The life time in a queue, in milliseconds, as decimal text.
    package var expiration: String?
    package var appID: String?
    /// Checked by the broker to be the connection's user.
    package var userID: String?
    package var headers: [String: HeaderValue] = [:]

    package init(
        contentType: String? = nil,
        messageID: String? = nil,
        correlationID: String? = nil,
        type: String? = nil,
        headers: [String: HeaderValue] = [:]
    ) {
        self.contentType = contentType
        self.messageID = messageID
        self.correlationID = correlationID
        self.type = type
        self.headers = headers
    }
}
