import JSON

/// Reads the members of one event and gathers what is wrong with them.
struct CloudEventReader {
    /// What the members said; the required ones are empty until they were read.
    struct Attributes {
        var id = ""
        var source = ""
        var type = ""
        var datacontenttype: String?
        var dataschema: String?
        var subject: String?
        var time: String?
        var extensions: [CloudEvent.Extension] = []
        var data: ArraySlice<UInt8>?
        var dataBase64: String?
    }

    /// Faults beyond this many are not told: input must not decide how large an answer is.
    static let maximumFaults = 64

    /// Names beyond this many bytes are not repeated in a fault's pointer.
    static let longestToldName = 128

    private let base: JSONPointer
    private var attributes = Attributes()
    private var faults: [CloudEventError.Fault] = []
    private var seen = Required()

    /// Where an attribute's value is read from.
    enum Source {
        case json(JSONView)
        case header(String)
    }

    /// Which of the required members stand in the document, rightly or wrongly.
    private struct Required {
        var specversion = false
        var id = false
        var source = false
        var type = false
    }

    init(base: JSONPointer) { self.base = base }

    mutating func read(_ view: JSONView) throws(CloudEventError) -> Attributes {
        guard view.kind == .object else {
            report(.notAnObject, nil, "An event is a JSON object, not a value of the kind \(view.kind).")
            throw CloudEventError(faults: faults)
        }
        for member in view.members where faults.count < Self.maximumFaults {
            readMember(named: member.key, member.value)
        }
        reportMissing()
        guard faults.isEmpty else { throw CloudEventError(faults: faults) }
        return attributes
    }

    /// Reads the attributes of an event in binary form and takes its data.
    mutating func read(
        _ fields: [BinaryFields.Field],
        contentType: String?,
        body: [UInt8]
    ) throws(CloudEventError)
        -> Attributes
    {
        for field in fields where faults.count < Self.maximumFaults {
            readField(field)
        }
        if let contentType { readAttribute(.header(contentType), "datacontenttype") }
        readBody(body)
        reportMissing()
        guard faults.isEmpty else { throw CloudEventError(faults: faults) }
        return attributes
    }

    /// Reads attributes that are texts.
    mutating func read(_ texts: [(name: String, text: String)]) throws(CloudEventError) -> Attributes {
        for (name, text) in texts {
            readAttribute(.header(text), name)
        }
        guard faults.isEmpty else { throw CloudEventError(faults: faults) }
        return attributes
    }

    private mutating func readField(_ field: BinaryFields.Field) {
        let name = field.name
        switch (name, field.value) {
        case ("datacontenttype", _):
            report(.misplaced, name, "In binary form the field Content-Type says what the data is.")
        case ("data", _):
            report(.misplaced, name, "In binary form the body is the data.")
        case (_, nil):
            markSeen(name)
            report(.invalidEncoding, name, "This is no percent-encoded UTF-8 in printable ASCII, quoted or not.")
        case (_, _?) where field.isRepeated:
            markSeen(name)
            report(.repeated, name, "An attribute stands once.")
        case (_, let value?):
            readAttribute(.header(value), name)
        }
    }

    private mutating func readBody(_ body: [UInt8]) {
        do throws(JSONParsingError) {
            switch try BinaryData(body, contentType: attributes.datacontenttype) {
            case .none: return
            case .json(let bytes): attributes.data = bytes[...]
            case .base64(let text): attributes.dataBase64 = text
            }
        } catch {
            report(.invalidJSON, "data", "The body is not the JSON that its media type promises: \(error.message).")
        }
    }

    /// Reads a member; one that is null counts as absent, whatever its name, if that may be a name at all.
    private mutating func readMember(named name: String, _ value: JSONView) {
        guard !value.isNull else {
            if name != "data_base64", !AttributeSyntax.isName(name) { reportName(name) }
            return
        }
        switch name {
        case "data":
            attributes.data = value.rawBytes
            checkDataConflict(name)
        case "data_base64":
            readBase64(value, name)
        default:
            readAttribute(.json(value), name)
        }
    }

    private mutating func readAttribute(_ value: Source, _ name: String) {
        markSeen(name)
        switch name {
        case "specversion":
            guard let version = text(value, name), version != CloudEvent.specVersion else { return }
            report(.unsupportedVersion, name, "Only version 1.0 of CloudEvents is understood.")
        case "id":
            attributes.id = text(value, name) ?? ""
        case "source":
            attributes.source = text(value, name) ?? ""
            checkSource()
        case "type":
            attributes.type = text(value, name) ?? ""
            guard attributes.type.utf8.count > CloudEvent.maximumTypeBytes else { return }
            report(.tooLong, name, "A type has at most \(CloudEvent.maximumTypeBytes) bytes.")
        default:
            readOptional(value, name)
        }
    }

    private mutating func markSeen(_ name: String) {
        switch name {
        case "specversion": seen.specversion = true
        case "id": seen.id = true
        case "source": seen.source = true
        case "type": seen.type = true
        default: return
        }
    }

    private mutating func readOptional(_ value: Source, _ name: String) {
        switch name {
        case "subject":
            attributes.subject = text(value, name)
        case "time":
            attributes.time = text(value, name)
            guard let time = attributes.time, !AttributeSyntax.isTime(time) else { return }
            report(.invalidTime, name, "This is no time of RFC 3339 such as 2026-03-01T09:30:00.25Z.")
        case "datacontenttype":
            attributes.datacontenttype = text(value, name)
            guard let type = attributes.datacontenttype, !AttributeSyntax.isMediaType(type) else { return }
            report(.invalidMediaType, name, "This is no media type such as application/json.")
        case "dataschema":
            attributes.dataschema = text(value, name)
            guard let schema = attributes.dataschema, !AttributeSyntax.isAbsoluteURI(schema) else { return }
            report(.invalidURI, name, "This is no absolute URI (RFC 3986, 4.3), which has a scheme and no fragment.")
        default:
            guard AttributeSyntax.isName(name) else { return reportName(name) }
            guard let value = extensionValue(value, name) else { return }
            attributes.extensions.append(CloudEvent.Extension(name: name, value: value))
        }
    }

    private mutating func extensionValue(_ value: Source, _ name: String) -> CloudEvent.ExtensionValue? {
        switch value {
        case .json(let view): extensionValue(view, name)
        case .header: text(value, name, mayBeEmpty: true).map { .string($0) }
        }
    }

    private mutating func extensionValue(_ value: JSONView, _ name: String) -> CloudEvent.ExtensionValue? {
        switch value.kind {
        case .bool:
            return value.boolValue.map { .boolean($0) }
        case .number:
            if let integer = value.int64Value.flatMap({ Int32(exactly: $0) }) { return .integer(integer) }
            report(.invalidInteger, name, "A number is a whole number of 32 bits, without fraction and exponent.")
        case .string:
            return text(.json(value), name, mayBeEmpty: true).map { .string($0) }
        case .array, .object, .null:
            report(.wrongType, name, "An extension attribute is a boolean, a whole number or a string.")
        }
        return nil
    }

    private mutating func readBase64(_ value: JSONView, _ name: String) {
        guard let isValid = value.withStringUTF8({ AttributeSyntax.isBase64($0) }) else {
            return report(.wrongType, name, "Binary data is a string of base64.")
        }
        guard isValid else { return report(.invalidBase64, name, "This is not base64 (RFC 4648, 4) with its padding.") }
        attributes.dataBase64 = value.stringValue
        checkDataConflict(name)
    }

    private mutating func checkSource() {
        guard !attributes.source.isEmpty, !AttributeSyntax.isURIReference(attributes.source) else { return }
        report(.invalidURI, "source", "This is no URI-reference (RFC 3986, 4.1).")
    }

    private mutating func checkDataConflict(_ name: String) {
        guard attributes.data != nil, attributes.dataBase64 != nil else { return }
        report(.conflictingData, name, "An event has data or data_base64, not both.")
    }

    /// A string's text, or nil after reporting why it cannot be one of an event.
    private mutating func text(_ value: Source, _ name: String, mayBeEmpty: Bool = false) -> String? {
        let (text, hasForbidden) = value.text
        guard let hasForbidden else {
            report(.wrongType, name, "This attribute is a string.")
            return nil
        }
        guard !hasForbidden else {
            report(.forbiddenCharacter, name, "A string holds no control characters and no noncharacters.")
            return nil
        }
        guard let text, mayBeEmpty || !text.isEmpty else {
            report(.empty, name, "This attribute is not empty where it is present.")
            return nil
        }
        return text
    }

    private mutating func reportMissing() {
        let required = [
            ("specversion", seen.specversion), ("id", seen.id), ("source", seen.source), ("type", seen.type),
        ]
        for (name, isPresent) in required where !isPresent {
            report(.missing, nil, "The attribute \(name) is required.")
        }
    }

    private mutating func reportName(_ name: String) {
        report(.invalidName, name, "A name has lower-case letters from a to z and digits only.")
    }

    private mutating func report(_ code: CloudEventError.Code, _ name: String?, _ detail: String) {
        guard faults.count < Self.maximumFaults else { return }
        let told = name.flatMap { $0.utf8.count <= Self.longestToldName ? base.appending($0) : nil }
        faults.append(CloudEventError.Fault(code: code, pointer: told ?? base, detail: detail))
    }
}

extension CloudEventReader.Source {
    /// The text, and whether it has a character that no string of an event has; nil where it is no text.
    fileprivate var text: (String?, hasForbidden: Bool?) {
        switch self {
        case .json(let view):
            return (view.stringValue, view.withStringUTF8 { AttributeSyntax.hasForbiddenCharacter($0) })
        case .header(var text):
            let hasForbidden = text.withUTF8 { AttributeSyntax.hasForbiddenCharacter($0) }
            return (text, hasForbidden)
        }
    }
}
