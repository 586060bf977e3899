/// What the broker said on a connection, copied out of the library's buffers.
enum BrokerEvent {
    case acknowledged(tag: UInt64, multiple: Bool)
    case nacked(tag: UInt64, multiple: Bool)
    case returned(ReceivedMessage)
    case delivered(ReceivedMessage)
    case consumeConfirmed
    case consumerCancelled
    case cancelConfirmed
    case queueChecked(messages: Int)
    case blocked(reason: String)
    case unblocked
    case channelClosed(ChannelClosure)
    case connectionClosed(code: UInt16, text: String)
}

/// A message with the method that brought it.
struct ReceivedMessage: Equatable {
    /// How it came.
    enum Origin: Equatable {
        case delivery(tag: UInt64, isRedelivered: Bool)
        case `return`(code: UInt16, text: String)
    }

    var origin: Origin
    var exchange: String
    var routingKey: String
    var properties = MessageProperties()
    var body: [UInt8] = []
}

/// Why the broker closed the channel.
struct ChannelClosure: Equatable {
    var code: UInt16
    var text: String
    /// The class and method of the command at fault.
    var classID: UInt16
    var methodID: UInt16

    /// Whether a `basic.publish` was at fault.
    var isAboutPublishing: Bool { classID == 60 && methodID == 40 }

    var error: RabbitMQError { RabbitMQError(replyCode: code, text: text) }
}
