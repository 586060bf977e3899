import Domain
import JSON

/// What the body of `POST /admin/api/hooks` asks for.
struct HookRequest: Sendable, Equatable {
    let name: String
    let kind: HookKind
    let typePrefix: String?
    /// The mapping's text as it came.
    let mapping: String?
    /// How the publisher signs, where the kind does not say it.
    let signature: HookSignature?
    /// The secret, where the client gave one.
    let secret: String?

    private static let members: Set<String> = ["name", "kind", "secret", "type_prefix", "mapping", "signature"]
    static let secretBytes = 16...512

    /// Reads a body; a problem names every fault.
    init(_ body: JSONView) throws(GatewayProblem) {
        var faults: [GatewayProblem.Fault] = []
        for member in body.members where !Self.members.contains(member.key) {
            faults.append(.unknownMember(member.key))
        }
        // The same form as a tenant's key: no full stop, so that an address takes the two apart.
        let name = body["name"]?.stringValue
        if name.flatMap({ Tenant($0) }) == nil {
            faults.append(.wrong("/name", .pattern("^[a-z][a-z0-9-]{0,62}$")))
        }
        let kind = body["kind"]?.stringValue.flatMap { HookKind(rawValue: $0) }
        if kind == nil {
            let kinds = HookKind.allCases.map(\.rawValue).joined(separator: ", ")
            faults.append(.wrong("/kind", Sentence("It must be one of \(kinds).", "Debe ser uno de \(kinds).")))
        }
        typePrefix = Self.typePrefix(body, faults: &faults)
        if let mapping = body.present("mapping") {
            _ = HookMapping(mapping, of: kind ?? .generic, faults: &faults)
        }
        mapping = body.present("mapping").map { String(decoding: $0.rawBytes, as: UTF8.self) }
        let signature = Self.signature(body, of: kind, faults: &faults)
        let credential = kind.map { HookCredential($0, signature: signature) }
        secret = Self.secret(body, of: credential, faults: &faults)
        guard faults.isEmpty, let name, let kind else {
            throw .invalidContent(faults)
        }
        self.name = name
        self.kind = kind
        self.signature = signature
    }

    private static func typePrefix(_ body: JSONView, faults: inout [GatewayProblem.Fault]) -> String? {
        guard let value = body.present("type_prefix") else {
            return nil
        }
        guard let text = value.stringValue, isTypePrefix(text) else {
            faults.append(.wrong("/type_prefix", .pattern("^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$, 100")))
            return nil
        }
        return text
    }

    private static func isTypePrefix(_ text: String) -> Bool {
        let segments = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (1...100).contains(text.utf8.count)
            && segments.allSatisfy { segment in
                !segment.isEmpty
                    && segment.allSatisfy { byte in
                        (byte | 0x20).isLowercaseLetter || byte.isDigit || byte == UInt8(ascii: "_")
                            || byte == UInt8(ascii: "-")
                    }
            }
    }

    private static func signature(
        _ body: JSONView,
        of kind: HookKind?,
        faults: inout [GatewayProblem.Fault]
    ) -> HookSignature? {
        guard let value = body.present("signature") else {
            return nil
        }
        guard kind == .generic || kind == nil else {
            faults.append(
                .wrong(
                    "/signature",
                    Sentence(
                        "Only a generic source has one; the other kinds say themselves how they sign.",
                        "Solo una fuente genérica la tiene; los demás tipos definen cómo firman."
                    )
                )
            )
            return nil
        }
        return HookSignature(value, faults: &faults)
    }

    /// The secret in a body, where one is given, which it must be where we cannot make it.
    static func secret(
        _ body: JSONView,
        of credential: HookCredential?,
        faults: inout [GatewayProblem.Fault]
    ) -> String? {
        guard let value = body.present("secret") else {
            if credential?.generatesSecret == false {
                faults.append(
                    GatewayProblem.Fault(
                        pointer: "/secret",
                        code: "missing",
                        Sentence(
                            "The publisher makes this kind's secret, so it must be given.",
                            "El emisor crea el secreto de este tipo, así que es obligatorio."
                        )
                    )
                )
            }
            return nil
        }
        guard let text = value.stringValue, secretBytes.contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            faults.append(
                .wrong(
                    "/secret",
                    Sentence(
                        "It must be a text of \(secretBytes.lowerBound) to \(secretBytes.upperBound) bytes.",
                        "Debe ser un texto de \(secretBytes.lowerBound) a \(secretBytes.upperBound) bytes."
                    )
                )
            )
            return nil
        }
        if let credential, let reason = HookSecrets.reasonAgainst(text, credential) {
            let spanish = "El secreto no tiene la forma que exige este tipo."
            faults.append(.wrong("/secret", Sentence(reason, spanish)))
        }
        return text
    }
}

extension JSONView {
    /// A member that is not null.
    func present(_ name: String) -> JSONView? {
        self[name].flatMap { $0.isNull ? nil : $0 }
    }
}

extension Sentence {
    fileprivate static func pattern(_ pattern: String) -> Sentence {
        Sentence("It must match \(pattern).", "Debe cumplir \(pattern).")
    }
}
