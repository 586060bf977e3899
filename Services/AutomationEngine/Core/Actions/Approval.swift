import Contracts
import Domain
import JSON
import JSONSchema

/// What a step of `flow.approval` asks for: who may approve, with what form, and until when.
struct Approval: Sendable {
    static let members: Set<String> = [
        "title", "message", "roles", "people", "allow_requester", "form", "within", "on_timeout",
    ]
    /// Who may approve where the input names nobody.
    static let standardRoles: [Role] = [.operator, .admin]
    /// How long there is time where the input does not say it.
    static let standardTime = Duration.seconds(7 * 86_400)
    /// As many roles and people may be named.
    static let maximumNames = 50

    let title: String
    let message: String?
    let roles: [Role]
    /// Names of principals.
    let people: [String]
    /// Whether whoever started the run may approve it.
    let allowsRequester: Bool
    /// JSON Schema of what is given with an approval, as the input has it.
    let form: [UInt8]?
    let within: Duration
    /// Whether the step is approved when nobody has decided in time; else it fails.
    let approvesOnTimeout: Bool

    /// Reads a resolved input.
    ///
    /// - Parameter input: RFC 8259 JSON.
    /// - Throws: What is wrong with the input.
    init(_ input: [UInt8]) throws(StepError) {
        let root = try? JSONDocument(parsing: input, limits: .wrapped).root
        try Self.faults(of: root, isResolved: true).refuse()
        title = root?["title"]?.stringValue ?? ""
        message = root?["message"]?.stringValue
        let named = root?["roles"]?.elements.compactMap { $0.stringValue.flatMap(Role.init(rawValue:)) } ?? []
        people = root?["people"]?.elements.compactMap(\.stringValue) ?? []
        roles = named.isEmpty && people.isEmpty ? Self.standardRoles : named
        allowsRequester = root?["allow_requester"]?.boolValue ?? false
        form = root?["form"].map { Array($0.rawBytes) }
        within = WaitLimit.read(root, orElse: Self.standardTime)
        approvesOnTimeout = root?["on_timeout"]?.stringValue == "approve"
    }

    /// What is stored of it for those who decide.
    ///
    /// - Parameter requester: Who started the run; nil where no person did.
    /// - Returns: JSON.
    func request(from requester: String?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("title", title)
        if let message { writer.member("message", message) }
        writer.key("roles")
        writer.beginArray()
        for role in roles { writer.string(role.rawValue) }
        writer.endArray()
        writer.key("people")
        writer.beginArray()
        for person in people { writer.string(person) }
        writer.endArray()
        writer.member("allow_requester", allowsRequester)
        if let requester { writer.member("requester", requester) }
        if let form { writer.member("form", raw: form) }
        writer.endObject()
        return writer.bytes
    }

    /// The output of a step that nobody has decided about.
    static let approvedByTimeout = Array(#"{"approved":true,"by":null,"decision":"timed_out","form":null}"#.utf8)

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        var faults: [InputFault] = []
        func check(_ member: String, _ code: String, _ detail: String, _ isRight: (JSONView) -> Bool) {
            if let value = input?[member], !isOpen(value), !isRight(value) {
                faults.append(InputFault(member: member, code: code, detail: detail))
            }
        }
        if input?["title"] == nil {
            faults.append(
                InputFault(member: "title", code: "required", detail: "flow.approval needs a title: what is approved.")
            )
        }
        check("title", "invalid_value", "The title is a text of 1 to 200 bytes.") {
            (1...200).contains($0.stringValue?.utf8.count ?? 0)
        }
        check("message", "invalid_value", "The message is a text of at most 10,000 bytes.") {
            ($0.stringValue?.utf8.count ?? .max) <= 10_000
        }
        let roles = Role.allCases.filter { $0 != .sender }.map(\.rawValue)
        check("roles", "invalid_value", "The roles are an array of \(roles.joined(separator: ", ")).") { value in
            value.kind == .array && value.count <= maximumNames
                && value.elements.allSatisfy { isOpen($0) || roles.contains($0.stringValue ?? "") }
        }
        check("people", "invalid_value", "The people are an array of up to \(maximumNames) names of tokens.") { value in
            value.kind == .array && value.count <= maximumNames
                && value.elements.allSatisfy { (1...255).contains($0.stringValue?.utf8.count ?? 0) }
        }
        check("allow_requester", "invalid_type", "allow_requester is true or false.") { $0.boolValue != nil }
        faults += WaitLimit.faults(of: input, isResolved: isResolved)
        check("on_timeout", "invalid_value", "on_timeout is \"fail\" or \"approve\".") {
            ["fail", "approve"].contains($0.stringValue ?? "")
        }
        if let form = input?["form"], !isOpen(form) {
            do throws(JSONSchemaFaults) {
                _ = try JSONSchema(compiling: form)
            } catch {
                let detail = "The form is no JSON Schema that is supported: \(error)"
                faults.append(InputFault(member: "form", code: "invalid_schema", detail: detail))
            }
        }
        return faults
    }
}
