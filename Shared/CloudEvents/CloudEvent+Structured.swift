import JSON

extension CloudEvent {
    /// Writes the event in structured form: attributes, extensions, then the data's own bytes, unchanged.
    ///
    /// - Parameter extra: Extension attributes to add; one that the event has already is replaced. Each is named once,
    ///   in lower-case letters and digits, by no name of the specification, and no value has control characters.
    /// - Returns: A JSON object that reads as an event again.
    package func structuredBytes(extra: [(name: String, value: String)] = []) -> [UInt8] {
        var writer = JSONWriter(capacity: estimatedBytes(extra))
        writer.beginObject()
        writer.member("specversion", Self.specVersion)
        writer.member("id", id)
        writer.member("source", source)
        writer.member("type", type)
        if let subject { writer.member("subject", subject) }
        if let time { writer.member("time", time) }
        if let datacontenttype { writer.member("datacontenttype", datacontenttype) }
        if let dataschema { writer.member("dataschema", dataschema) }
        for attribute in extensions where !extra.contains(where: { $0.name == attribute.name }) {
            switch attribute.value {
            case .boolean(let value): writer.member(attribute.name, value)
            case .integer(let value): writer.member(attribute.name, Int64(value))
            case .string(let text): writer.member(attribute.name, text)
            }
        }
        for (name, value) in extra {
            precondition(AttributeSyntax.isExtensionName(name), "\(name) cannot name an extension attribute")
            writer.member(name, value)
        }
        if let data {
            writer.key("data")
            writer.raw(data)
        } else if let dataBase64 {
            writer.member("data_base64", dataBase64)
        }
        writer.endObject()
        return writer.bytes
    }

    /// Enough for the event unless its strings need escapes.
    private func estimatedBytes(_ extra: [(name: String, value: String)]) -> Int {
        var count = 160 + id.utf8.count + source.utf8.count + type.utf8.count
        for text in [subject, time, datacontenttype, dataschema] { count += text?.utf8.count ?? 0 }
        for attribute in extensions { count += attribute.name.utf8.count + attribute.value.estimatedBytes + 6 }
        for (name, value) in extra { count += name.utf8.count + value.utf8.count + 6 }
        return count + (data?.count ?? dataBase64?.utf8.count ?? 0)
    }
}

extension CloudEvent.ExtensionValue {
    fileprivate var estimatedBytes: Int {
        if case .string(let text) = self { text.utf8.count } else { 11 }
    }
}
