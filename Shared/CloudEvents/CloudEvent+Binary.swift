import JSON

extension CloudEvent {
    /// Reads an event in binary form (HTTP protocol binding 1.0.2, section 3.1): attributes in header fields that begin
    /// with `ce-`, the data in the body.
    ///
    /// Data whose media type is JSON, or that has none, stays as it came; other text becomes a JSON string, and all else
    /// base64, as the JSON event format wants it.
    ///
    /// - Parameters:
    ///   - fields: The message's header fields, in their order; a name may be in any case, and stand twice.
    ///   - body: The body; an empty one is no data.
    /// - Throws: Every fault of the event, the first 64 at most; their pointers name members of its structured form.
    package init(binary fields: some Sequence<(name: String, value: String)>, body: [UInt8]) throws(CloudEventError) {
        let fields = BinaryFields(fields)
        var reader = CloudEventReader(base: .root)
        try self.init(reader.read(fields.attributes, contentType: fields.contentType, body: body))
    }

    /// Whether the name of a header field is that of an attribute in binary form.
    package static func isBinaryField(_ name: String) -> Bool {
        BinaryFields.attributeName(name) != nil
    }
}
