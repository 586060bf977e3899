import CRabbitMQ

/// Turns the library's frames into events, copying everything out of its buffers.
struct FrameDecoder {
    private var assembler: MessageAssembler

    init(maximumMessageSize: Int) { assembler = MessageAssembler(maximumSize: maximumMessageSize) }

    /// Decodes a frame.
    ///
    /// - Returns: What it completes; `nil` while a message is under way, and for frames that mean nothing here.
    mutating func decode(_ frame: crmq_frame) throws(RabbitMQError) -> BrokerEvent? {
        switch Int(frame.kind) {
        case CRMQ_FRAME_DELIVER:
            let origin = ReceivedMessage.Origin.delivery(tag: frame.delivery_tag, isRedelivered: frame.redelivered)
            try begin(frame, origin)
            return nil
        case CRMQ_FRAME_RETURN:
            try begin(frame, .return(code: frame.code, text: String(frame.text) ?? ""))
            return nil
        case CRMQ_FRAME_HEADER:
            return try assembler.header(properties(of: frame), bodySize: frame.body_size).map(Self.event)
        case CRMQ_FRAME_BODY:
            return try assembler.body(UnsafeRawBufferPointer(frame.body)).map(Self.event)
        default:
            return try method(frame)
        }
    }

    private func method(_ frame: crmq_frame) throws(RabbitMQError) -> BrokerEvent? {
        switch Int(frame.kind) {
        case CRMQ_FRAME_ACK: return .acknowledged(tag: frame.delivery_tag, multiple: frame.multiple)
        case CRMQ_FRAME_NACK: return .nacked(tag: frame.delivery_tag, multiple: frame.multiple)
        case CRMQ_FRAME_CONSUME_OK: return .consumeConfirmed
        case CRMQ_FRAME_CANCEL: return .consumerCancelled
        case CRMQ_FRAME_CANCEL_OK: return .cancelConfirmed
        case CRMQ_FRAME_CHECK_OK: return .queueChecked(messages: Int(frame.message_count))
        case CRMQ_FRAME_BLOCKED: return .blocked(reason: String(frame.text) ?? "")
        case CRMQ_FRAME_UNBLOCKED: return .unblocked
        case CRMQ_FRAME_CHANNEL_CLOSE:
            let closure = ChannelClosure(
                code: frame.code,
                text: String(frame.text) ?? "",
                classID: frame.class_id,
                methodID: frame.method_id
            )
            return .channelClosed(closure)
        case CRMQ_FRAME_CONNECTION_CLOSE:
            return .connectionClosed(code: frame.code, text: String(frame.text) ?? "")
        default:
            guard frame.raw_method != 0 else { return nil }
            throw RabbitMQError(.protocolViolation, "method \(frame.raw_method) was not asked for")
        }
    }

    private mutating func begin(_ frame: crmq_frame, _ origin: ReceivedMessage.Origin) throws(RabbitMQError) {
        let message = ReceivedMessage(
            origin: origin,
            exchange: String(frame.exchange) ?? "",
            routingKey: String(frame.routing_key) ?? ""
        )
        try assembler.begun(message)
    }

    private static func event(_ message: ReceivedMessage) -> BrokerEvent {
        switch message.origin {
        case .delivery: .delivered(message)
        case .return: .returned(message)
        }
    }

    private func properties(of frame: crmq_frame) throws(RabbitMQError) -> MessageProperties {
        guard let raw = frame.properties, frame.class_id == 60 else {
            throw RabbitMQError(.protocolViolation, "a header of class \(frame.class_id)")
        }
        var from = crmq_received_properties()
        crmq_read_properties(raw, &from)
        var out = MessageProperties()
        out.contentType = String(from.content_type)
        out.contentEncoding = String(from.content_encoding)
        out.isPersistent = from.is_persistent
        out.messageID = String(from.message_id)
        out.correlationID = String(from.correlation_id)
        out.replyTo = String(from.reply_to)
        out.type = String(from.type)
        out.timestamp = from.has_timestamp ? Int64(clamping: from.timestamp) : nil
        out.expiration = String(from.expiration)
        out.appID = String(from.app_id)
        out.userID = String(from.user_id)
        out.headers = Self.table(from.headers, depth: 0)
        return out
    }

    /// How deep values may stand in one another; what lies deeper is read as empty.
    private static let maximumDepth = 32

    private static func table(_ entries: crmq_entries, depth: Int) -> [String: HeaderValue] {
        guard entries.count > 0, depth < maximumDepth else { return [:] }
        var out = [String: HeaderValue](minimumCapacity: Int(entries.count))
        var value = crmq_value()
        for index in 0..<entries.count {
            let key = crmq_table_at(entries, index, &value)
            out[String(key) ?? ""] = Self.value(value, depth: depth)
        }
        return out
    }

    private static func array(_ entries: crmq_entries, depth: Int) -> [HeaderValue] {
        guard entries.count > 0, depth < maximumDepth else { return [] }
        var value = crmq_value()
        return (0..<entries.count).map { index in
            crmq_array_at(entries, index, &value)
            return Self.value(value, depth: depth)
        }
    }

    private static func value(_ from: crmq_value, depth: Int) -> HeaderValue {
        switch Int(from.kind) {
        case CRMQ_VALUE_STRING:
            let bytes = UnsafeRawBufferPointer(from.bytes)
            return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(Array(bytes))
        case CRMQ_VALUE_BYTES: return .bytes(Array(UnsafeRawBufferPointer(from.bytes)))
        case CRMQ_VALUE_INT: return .int64(from.integer)
        case CRMQ_VALUE_DOUBLE: return .double(from.real)
        case CRMQ_VALUE_BOOL: return .bool(from.integer != 0)
        case CRMQ_VALUE_TIMESTAMP: return .timestamp(from.integer)
        case CRMQ_VALUE_TABLE: return .table(table(from.children, depth: depth + 1))
        case CRMQ_VALUE_ARRAY: return .array(array(from.children, depth: depth + 1))
        default: return .void
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes that the C library points at, valid until its buffers are released.
    init(_ bytes: crmq_bytes) { self.init(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.length) }
}

extension String {
    /// Copies a text, mending what is not UTF-8; `nil` where the text is absent.
    init?(_ bytes: crmq_bytes) {
        guard bytes.bytes != nil else { return nil }
        self.init(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
    }
}
