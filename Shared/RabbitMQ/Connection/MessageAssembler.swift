/// Puts a message together from its method, header and body frames.
struct MessageAssembler {
    private enum State {
        case idle
        case awaitingHeader(ReceivedMessage)
        case awaitingBody(ReceivedMessage, size: Int)
    }

    private let maximumSize: Int
    private var state = State.idle

    init(maximumSize: Int) { self.maximumSize = maximumSize }

    /// Whether a method frame may come now.
    var isIdle: Bool {
        switch state {
        case .idle: true
        case .awaitingHeader, .awaitingBody: false
        }
    }

    /// A deliver or return method arrived.
    mutating func begun(_ message: ReceivedMessage) throws(RabbitMQError) {
        guard isIdle else { throw Self.violation("a message began inside another") }
        state = .awaitingHeader(message)
    }

    /// A header frame arrived.
    ///
    /// - Returns: The message, if it has no body.
    mutating func header(_ properties: MessageProperties, bodySize: UInt64) throws(RabbitMQError) -> ReceivedMessage? {
        guard case .awaitingHeader(var message) = state else { throw Self.violation("a header without a message") }
        guard bodySize <= UInt64(maximumSize) else {
            throw Self.violation("a message of \(bodySize) bytes exceeds the limit of \(maximumSize)")
        }
        message.properties = properties
        guard bodySize > 0 else {
            state = .idle
            return message
        }
        // What the peer announces is not allocated beforehand beyond a frame's worth of trust.
        message.body.reserveCapacity(min(Int(bodySize), 1 << 20))
        state = .awaitingBody(message, size: Int(bodySize))
        return nil
    }

    /// A body frame arrived.
    ///
    /// - Returns: The message, if that was its end.
    mutating func body(_ bytes: UnsafeRawBufferPointer) throws(RabbitMQError) -> ReceivedMessage? {
        guard case .awaitingBody(var message, let size) = state else { throw Self.violation("a body without a header") }
        // Held by the state as well, the array would be copied on every frame.
        state = .idle
        guard bytes.count <= size - message.body.count else { throw Self.violation("a body longer than announced") }
        message.body.append(contentsOf: bytes)
        guard message.body.count < size else { return message }
        state = .awaitingBody(message, size: size)
        return nil
    }

    private static func violation(_ reason: String) -> RabbitMQError { RabbitMQError(.protocolViolation, reason) }
}
