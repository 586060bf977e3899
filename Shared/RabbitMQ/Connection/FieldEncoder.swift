import CRabbitMQ

/// Copies texts and tables into an arena of the C library, for one call.
struct FieldEncoder {
    private let arena: OpaquePointer
    private(set) var isOutOfMemory = false

    init(arena: OpaquePointer) { self.arena = arena }

    mutating func bytes(_ text: String) -> crmq_bytes {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    mutating func bytes(_ text: String?) -> crmq_bytes {
        guard let text else { return crmq_bytes() }
        return bytes(text)
    }

    /// Encodes a table; `nil` where it is empty.
    mutating func table(_ entries: [String: HeaderValue]) -> OpaquePointer? {
        guard !entries.isEmpty, let fields = create(capacity: entries.count) else { return nil }
        for (key, value) in entries { add(value, key: bytes(key), to: fields) }
        return fields
    }

    mutating func properties(_ properties: MessageProperties) -> crmq_properties {
        crmq_properties(
            content_type: bytes(properties.contentType),
            content_encoding: bytes(properties.contentEncoding),
            correlation_id: bytes(properties.correlationID),
            reply_to: bytes(properties.replyTo),
            expiration: bytes(properties.expiration),
            message_id: bytes(properties.messageID),
            type: bytes(properties.type),
            user_id: bytes(properties.userID),
            app_id: bytes(properties.appID),
            headers: table(properties.headers),
            timestamp: UInt64(clamping: properties.timestamp ?? 0),
            has_timestamp: properties.timestamp != nil,
            is_persistent: properties.isPersistent
        )
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) -> crmq_bytes {
        let copied = crmq_arena_copy(arena, bytes.baseAddress, bytes.count)
        if copied.length != bytes.count { isOutOfMemory = true }
        return copied
    }

    private mutating func create(capacity: Int) -> OpaquePointer? {
        guard let fields = crmq_fields_create(arena, Int32(clamping: capacity)) else {
            isOutOfMemory = true
            return nil
        }
        return fields
    }

    private mutating func add(_ value: HeaderValue, key: crmq_bytes, to fields: OpaquePointer) {
        switch value {
        case .string(let text): crmq_fields_add_string(fields, key, bytes(text))
        case .int64(let number): crmq_fields_add_int(fields, key, number)
        case .bool(let truth): crmq_fields_add_bool(fields, key, truth)
        case .double(let number): crmq_fields_add_double(fields, key, number)
        case .bytes(let bytes): crmq_fields_add_bytes(fields, key, bytes.withUnsafeBytes { copy($0) })
        case .timestamp(let seconds): crmq_fields_add_timestamp(fields, key, UInt64(clamping: seconds))
        case .void: crmq_fields_add_void(fields, key)
        case .table(let entries): crmq_fields_add_table(fields, key, table(entries))
        case .array(let values):
            guard let children = create(capacity: values.count) else { return }
            for value in values { add(value, key: crmq_bytes(), to: children) }
            if !crmq_fields_add_array(arena, fields, key, children) { isOutOfMemory = true }
        }
    }
}
