package import JSON

/// A CloudEvent 1.0.2 whose attributes were all checked, and whose data is still the text that came.
package struct CloudEvent: Sendable {
    /// The only version that is read.
    package static let specVersion = "1.0"

    /// What a type may have at most, in bytes of UTF-8: it is a routing key, and those are counted in one byte.
    package static let maximumTypeBytes = 255

    /// Identifies the event together with ``source``.
    package let id: String

    /// A URI-reference.
    package let source: String

    package let type: String

    /// The media type of the data; where absent, the data is JSON.
    package let datacontenttype: String?

    /// An absolute URI.
    package let dataschema: String?

    package let subject: String?

    /// A time of RFC 3339, exactly as it was written.
    package let time: String?

    /// The further attributes in the order of the document; no name stands twice, and none is one of the above.
    package let extensions: [Extension]

    /// The data's JSON as it was written, white space included; nil where there is none or it is ``dataBase64``.
    package let data: ArraySlice<UInt8>?

    /// Binary data in base64.
    package let dataBase64: String?

    /// Reads an event in structured form.
    ///
    /// - Parameters:
    ///   - view: The event's object, perhaps an element of a batch.
    ///   - pointer: Where the object stands in its document; the faults' pointers begin with it.
    /// - Throws: Every fault of the event, the first 64 at most.
    package init(structured view: JSONView, at pointer: JSONPointer = .root) throws(CloudEventError) {
        var reader = CloudEventReader(base: pointer)
        try self.init(reader.read(view))
    }

    /// Reads the event that a document is.
    ///
    /// - Parameter document: One event in structured form.
    /// - Throws: Every fault of the event, the first 64 at most.
    package init(structured document: JSONDocument) throws(CloudEventError) {
        try self.init(structured: document.root)
    }

    /// Makes an event whose data is JSON.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - source: A URI-reference.
    ///   - type: Its type.
    ///   - subject: Its subject.
    ///   - time: A time of RFC 3339.
    ///   - data: The data's JSON, which was validated.
    /// - Throws: Every fault of the attributes.
    package init(
        id: String,
        source: String,
        type: String,
        subject: String? = nil,
        time: String? = nil,
        data: [UInt8]
    ) throws(CloudEventError) {
        var reader = CloudEventReader(base: .root)
        let texts = [
            ("specversion", Self.specVersion), ("id", id), ("source", source), ("type", type), ("subject", subject),
            ("time", time), ("datacontenttype", "application/json"),
        ]
        var attributes = try reader.read(texts.compactMap { name, text in text.map { (name, $0) } })
        attributes.data = data[...]
        self.init(attributes)
    }

    /// The Unix milliseconds of a time of RFC 3339, rounded down; nil for text that is none.
    package static func milliseconds(ofTime text: String) -> Int64? { AttributeSyntax.milliseconds(ofTime: text) }

    /// Whether a text can be a `time`: one of RFC 3339.
    package static func isTime(_ text: String) -> Bool { AttributeSyntax.isTime(text) }

    /// Whether a text can be an attribute that says something: it is not empty and has no forbidden character.
    package static func isText(_ text: String) -> Bool {
        var text = text
        return !text.isEmpty && !text.withUTF8 { AttributeSyntax.hasForbiddenCharacter($0) }
    }

    init(_ attributes: CloudEventReader.Attributes) {
        id = attributes.id
        source = attributes.source
        type = attributes.type
        datacontenttype = attributes.datacontenttype
        dataschema = attributes.dataschema
        subject = attributes.subject
        time = attributes.time
        extensions = attributes.extensions
        data = attributes.data
        dataBase64 = attributes.dataBase64
    }

    /// The value of an extension attribute, or nil where the event has none of that name.
    package subscript(extension name: String) -> ExtensionValue? {
        extensions.first { $0.name == name }?.value
    }
}

extension CloudEvent {
    /// A further attribute of an event.
    package struct Extension: Sendable, Hashable {
        /// Lower-case letters and digits.
        package let name: String
        package let value: ExtensionValue

        package init(name: String, value: ExtensionValue) {
            self.name = name
            self.value = value
        }
    }

    /// What an extension attribute may hold in JSON; the other types of CloudEvents are written as strings there.
    package enum ExtensionValue: Sendable, Hashable {
        case boolean(Bool)
        case integer(Int32)
        case string(String)

        /// The text of a string.
        package var stringValue: String? {
            if case .string(let text) = self { text } else { nil }
        }

        /// The value as CloudEvents' canonical string expression, as headers carry it.
        package var text: String {
            switch self {
            case .boolean(let value): value ? "true" : "false"
            case .integer(let value): String(value)
            case .string(let text): text
            }
        }
    }
}

extension CloudEvent: Equatable {
    /// Whether two events have the same bytes; Swift's strings would hold canonically equivalent ids for equal.
    package static func == (left: CloudEvent, right: CloudEvent) -> Bool {
        left.structuredBytes() == right.structuredBytes()
    }
}
