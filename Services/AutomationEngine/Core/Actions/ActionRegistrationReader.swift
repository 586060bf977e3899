import JSON
import JSONSchema
import OutboundHTTP
import Secrets
import Templates

/// Reads what an administrator registers as an action, and names all its faults at once.
struct ActionRegistrationReader {
    private let body: JSONView
    private let key: String
    // What steps and registrations both have is read in one place.
    private var reader = DefinitionReader(registry: .builtIn, from: .author)

    /// The faults found so far.
    var faults: [DefinitionFault] { reader.faults }

    init(_ body: JSONView, key: String) {
        self.body = body
        self.key = key
    }

    /// Reads it whole; nil where it has faults.
    mutating func read() -> ActionRegistration? {
        guard body.kind == .object else {
            reader.add(.root, "invalid_type", "The body must be an object.")
            return nil
        }
        guard body.rawBytes.count <= ActionRegistration.maximumBytes else {
            reader.add(.root, "too_large", "An action is at most \(ActionRegistration.maximumBytes / 1_024) KiB long.")
            return nil
        }
        reader.refuseUnknown(
            body,
            known: [
                "title", "description", "input_schema", "output_schema", "idempotent", "simulation", "timeout", "retry",
                "endpoint",
            ],
            at: .root
        )
        reader.checkNumbers(body, at: .root)
        let title = readTitle()
        let description = readDescription()
        let input = readSchema("input_schema")
        let output = readSchema("output_schema")
        let isIdempotent = reader.readIdempotent(body["idempotent"], at: place("idempotent")) ?? false
        let endpoint = readEndpoint()
        let timeout = reader.readTimeout(
            body["timeout"],
            upTo: endpoint?.endpoint.maximumTimeout ?? DefinitionReader.maximumTimeout,
            at: place("timeout")
        )
        let retry = reader.readRetry(body["retry"], at: place("retry"))
        let sample = readSimulation(output)
        guard faults.isEmpty, let title, let input, let output, let endpoint else {
            return nil
        }
        return ActionRegistration(
            declaration: ActionDeclaration(
                key: key,
                title: title,
                description: description,
                input: input,
                output: output,
                isIdempotent: isIdempotent,
                canSimulate: sample != nil,
                timeout: timeout ?? BuiltInAction.standardTimeout,
                retry: retry ?? .standard
            ),
            sample: sample,
            endpoint: endpoint.endpoint,
            secrets: endpoint.secrets,
            bytes: Array(body.rawBytes)
        )
    }

    private func place(_ member: String) -> JSONPointer { JSONPointer.root.appending(member) }

    private mutating func readTitle() -> String? {
        guard let title = body["title"]?.stringValue, title.isName else {
            let code = body["title"] == nil ? "required" : "invalid_name"
            reader.add(place("title"), code, "The title is a text of 1 to 200 characters.")
            return nil
        }
        return title
    }

    private mutating func readDescription() -> String {
        guard let view = body["description"] else {
            return ""
        }
        guard let text = view.stringValue, text.utf8.count <= 10_000, !text.utf8.contains(0) else {
            reader.add(place("description"), "invalid_description", "The description is a text of up to 10000 bytes.")
            return ""
        }
        return text
    }

    private mutating func readSchema(_ member: String) -> ActionSchema? {
        guard let view = body[member] else {
            reader.add(
                place(member),
                "required",
                "An action needs an \(member): a JSON Schema; true allows everything."
            )
            return nil
        }
        do throws(JSONSchemaFaults) {
            return try ActionSchema(view, at: place(member))
        } catch {
            for fault in error.faults {
                reader.add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return nil
        }
    }

    private mutating func readSimulation(_ output: ActionSchema?) -> [UInt8]? {
        let pointer = place("simulation")
        switch body["simulation"] {
        case .none:
            return nil
        case .some(let view) where view.isString("none"):
            return nil
        case .some(let view) where view.isString("sample"):
            guard let output else {
                return nil
            }
            guard let sample = output.sample else {
                reader.add(
                    pointer,
                    "no_sample",
                    "No value was found that the output_schema allows; give one as {\"sample\": …}, or say \"none\"."
                )
                return nil
            }
            return sample
        case .some(let view):
            guard view.kind == .object, view.count == 1, let sample = view["sample"] else {
                reader.add(pointer, "invalid_value", "simulation is \"none\", \"sample\" or {\"sample\": …}.")
                return nil
            }
            for fault in output?.faults(in: sample, at: pointer.appending("sample"), placeholder: "") ?? [] {
                reader.add(fault.pointer, fault.code, fault.detail)
            }
            return Array(sample.rawBytes)
        }
    }
}

// MARK: - Where it is called

extension ActionRegistrationReader {
    private typealias ReadEndpoint = (endpoint: ActionEndpoint, secrets: [(name: String, pointer: JSONPointer)])

    private mutating func readEndpoint() -> ReadEndpoint? {
        let pointer = place("endpoint")
        let endpoint = body["endpoint"]
        if let endpoint, endpoint.kind == .object {
            reader.refuseUnknown(endpoint, known: ["http", "amqp"], at: pointer)
        }
        switch (endpoint?["http"], endpoint?["amqp"]) {
        case (.some(let http), nil) where http.kind == .object:
            return readHTTP(http, at: pointer.appending("http"))
        case (nil, .some(let amqp)) where amqp.kind == .object:
            return readAMQP(amqp, at: pointer.appending("amqp"))
        case (.some, .some):
            reader.add(pointer, "invalid_value", "An action is called over http or over amqp, not over both.")
        default:
            let code = endpoint == nil ? "required" : "invalid_type"
            reader.add(pointer, code, "The endpoint is {\"http\": {\"url\": …}} or {\"amqp\": {}}.")
        }
        return nil
    }

    private mutating func readAMQP(_ amqp: JSONView, at pointer: JSONPointer) -> ReadEndpoint? {
        reader.refuseUnknown(amqp, known: AMQPEndpoint.members, at: pointer)
        let place = pointer.appending("secret")
        let signing = readSigningSecret(amqp["secret"], at: place)
        return (.amqp(AMQPEndpoint(signingSecret: signing)), signing.map { [($0, place)] } ?? [])
    }

    private mutating func readHTTP(_ http: JSONView, at pointer: JSONPointer) -> ReadEndpoint? {
        reader.refuseUnknown(http, known: HTTPEndpoint.members, at: pointer)
        for fault in HTTPCall.faults(of: http) where ["url", "headers"].contains(fault.member) {
            reader.add(pointer.appending(fault.member), fault.code, fault.detail)
        }
        checkCredentials(http, at: pointer)
        let signing = readSigningSecret(http["secret"], at: pointer.appending("secret"))
        guard let fields = readFields(http, at: pointer) else {
            return nil
        }
        guard let url = http["url"]?.stringValue, !url.contains("{{"), let url = try? OutboundURL(url) else {
            if http["url"]?.stringValue?.contains("{{") ?? false {
                reader.add(pointer.appending("url"), "invalid_url", "The url is stated whole, without templates.")
            }
            return nil
        }
        let secrets = fields.secrets.map { ($0.name, $0.pointer) }
        return (
            .http(HTTPEndpoint(url: url, fields: fields, signingSecret: signing)),
            secrets + (signing.map { [($0, pointer.appending("secret"))] } ?? [])
        )
    }

    /// Refuses credentials that stand there as they are, and headers that the engine sets.
    private mutating func checkCredentials(_ http: JSONView, at pointer: JSONPointer) {
        if let authorization = http["authorization"], !Self.refersToSecret(authorization) {
            reader.add(pointer.appending("authorization"), "credential_in_text", Self.credentialDetail)
        }
        guard let headers = http["headers"], headers.kind == .object else {
            return
        }
        for header in headers.members {
            let name = header.key.lowercased()
            let place = pointer.appending("headers").appending(header.key)
            if name == "authorization" {
                reader.add(place, "invalid_value", "The authorization stands beside the headers, as authorization.")
            } else if RemoteCall.ownHeaders.contains(name) {
                reader.add(place, "invalid_value", "The engine sets \(name) itself.")
            } else if Self.isCredential(name), !Self.refersToSecret(header.value) {
                reader.add(place, "credential_in_text", Self.credentialDetail)
            }
        }
    }

    private static let credentialDetail = "A credential is a reference to a secret: {{ secret:name }}."

    private static func refersToSecret(_ view: JSONView) -> Bool {
        view.stringValue?.contains("{{ secret:") ?? false
    }

    /// Whether a header is known to carry a credential by what its name is made of.
    private static func isCredential(_ name: String) -> Bool {
        let words: Set<Substring> = [
            "apikey", "auth", "authentication", "authorization", "cookie", "credential", "credentials", "key", "passwd",
            "password", "secret", "session", "token",
        ]
        return name.split { $0 == "-" || $0 == "_" }.contains { words.contains($0) }
    }

    private mutating func readSigningSecret(_ view: JSONView?, at pointer: JSONPointer) -> String? {
        guard let view else {
            return nil
        }
        guard let text = view.stringValue, !text.hasPrefix("whsec_"), let name = SecretName(text) else {
            reader.add(pointer, "invalid_value", "secret is the name of a secret, not the secret itself.")
            return nil
        }
        return name.text
    }

    private mutating func readFields(_ http: JSONView, at pointer: JSONPointer) -> Template? {
        do throws(TemplateFaults) {
            let fields = try Template(compiling: http, at: pointer)
            for reference in fields.references {
                reader.add(reference.pointer, "invalid_reference", "Only secrets can be named here: {{ secret:name }}.")
            }
            return fields
        } catch {
            for fault in error.faults {
                reader.add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return nil
        }
    }
}
