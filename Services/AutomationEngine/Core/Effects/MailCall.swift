import JSON
import Mail

/// What a step of `notify.email` asks for: its input, resolved and checked.
struct MailCall: Sendable {
    static let members: Set<String> = ["to", "cc", "bcc", "reply_to", "from_name", "subject", "text", "html"]
    /// The members that hold addresses.
    static let addressMembers = ["to", "cc", "bcc", "reply_to"]
    /// How many addresses one member may hold.
    static let maximumAddresses = 50

    /// Its key is set by whoever sends it.
    let message: MailMessage

    /// Reads a resolved input.
    ///
    /// - Parameter input: RFC 8259 JSON.
    /// - Throws: What is wrong with the input; it holds no value of it.
    init(_ input: [UInt8]) throws(StepError) {
        guard let root = try? JSONDocument(parsing: input, limits: .wrapped).root else {
            throw StepError(code: "invalid_input", detail: "The input is not JSON.")
        }
        try Self.faults(of: root, isResolved: true).refuse()
        var message = MailMessage(
            key: "",
            to: Self.addresses(root["to"]),
            subject: root["subject"]?.stringValue ?? "",
            text: root["text"]?.stringValue,
            html: root["html"]?.stringValue
        )
        message.cc = Self.addresses(root["cc"])
        message.bcc = Self.addresses(root["bcc"])
        message.replyTo = Self.addresses(root["reply_to"])
        message.fromName = root["from_name"]?.stringValue
        // What only shows when all of it is there, such as the number of recipients.
        if let fault = message.fault { throw StepError(code: "invalid_input", detail: fault) }
        self.message = message
    }

    private static func addresses(_ view: JSONView?) -> [MailAddress] {
        view.map(texts)?.compactMap { try? MailAddress($0.stringValue ?? "") } ?? []
    }

    /// A text stands for an array of one.
    private static func texts(_ view: JSONView) -> [JSONView] {
        view.kind == .array ? view.elements.map { $0 } : [view]
    }
}

// MARK: - What shows before the input is resolved

extension MailCall {
    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        guard let input, input.kind == .object else {
            return [InputFault(member: "to", code: "required", detail: "notify.email needs to and a subject.")]
        }
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        var faults: [InputFault] = []
        func add(_ member: String, _ code: String, _ detail: String) {
            faults.append(InputFault(member: member, code: code, detail: detail))
        }
        for member in ["to", "subject"] where input[member] == nil {
            add(member, "required", "notify.email needs \(member).")
        }
        if input["text"] == nil, input["html"] == nil {
            add("text", "required", "notify.email needs text or html, or both.")
        }
        for member in addressMembers {
            guard let view = input[member], !isOpen(view) else { continue }
            if let detail = fault(ofAddresses: view, isRequired: member == "to", isOpen) {
                add(member, "invalid_address", detail)
            }
        }
        for member in ["subject", "text", "html", "from_name"] {
            guard let view = input[member], !isOpen(view) else { continue }
            guard let text = view.stringValue else {
                add(member, "invalid_type", "\(member) is a text.")
                continue
            }
            if let detail = fault(of: member, text) { add(member, "invalid_value", detail) }
        }
        return faults
    }

    private static func fault(
        ofAddresses view: JSONView,
        isRequired: Bool,
        _ isOpen: (JSONView) -> Bool
    ) -> String? {
        guard view.kind == .string || view.kind == .array else {
            return "An address is a text; several are an array of texts."
        }
        let texts = texts(view)
        guard texts.count <= maximumAddresses, !(isRequired && texts.isEmpty) else {
            return "There are from \(isRequired ? 1 : 0) to \(maximumAddresses) addresses."
        }
        for (index, element) in texts.enumerated() where !isOpen(element) {
            guard let text = element.stringValue else { return "An address is a text; several are an array of texts." }
            do throws(MailError) {
                _ = try MailAddress(text)
            } catch {
                return texts.count == 1 ? error.message : "Number \(index + 1): \(error.message)"
            }
        }
        return nil
    }

    private static func fault(of member: String, _ text: String) -> String? {
        switch member {
        case "subject":
            return MailMessage.fault(ofSubject: text)
        case "from_name":
            do throws(MailError) {
                _ = try MailAddress("a@example.org").named(text)
                return nil
            } catch {
                return error.message
            }
        default:
            return nil
        }
    }
}
