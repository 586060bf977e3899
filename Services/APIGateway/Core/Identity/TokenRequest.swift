import Domain
import JSON

/// What the body of `POST /admin/api/tokens` asks for.
struct TokenRequest: Sendable, Equatable {
    let name: String
    let role: Role
    /// How long the token is accepted, in milliseconds; for ever if nil.
    let lifetime: Int64?

    private static let members: Set<String> = ["name", "role", "expires_in"]
    /// Ten years.
    private static let longestLifetime: Int64 = 3_650 * 86_400_000

    /// Reads a body; a problem names every fault.
    init(_ body: JSONView) throws(GatewayProblem) {
        var faults: [GatewayProblem.Fault] = []
        for member in body.members where !Self.members.contains(member.key) {
            faults.append(.unknownMember(member.key))
        }
        let name = body["name"]?.stringValue
        if let name, Self.isName(name) {
        } else {
            faults.append(
                .wrong(
                    "/name",
                    Sentence("It must be a text of 1 to 100 characters.", "Debe ser un texto de 1 a 100 caracteres.")
                )
            )
        }
        let role = body["role"]?.stringValue.flatMap { Role(rawValue: $0) }
        if role == nil {
            let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
            faults.append(.wrong("/role", Sentence("It must be one of \(roles).", "Debe ser uno de \(roles).")))
        }
        var lifetime: Int64?
        if let expiry = body["expires_in"], !expiry.isNull {
            lifetime = expiry.stringValue.flatMap { DurationText.milliseconds($0) }
            if lifetime.map({ !(1_000...Self.longestLifetime).contains($0) }) ?? true {
                faults.append(
                    .wrong(
                        "/expires_in",
                        Sentence(
                            "It must be a duration such as 30d, from 1s to 3650d.",
                            "Debe ser una duración como 30d, de 1s a 3650d."
                        )
                    )
                )
            }
        }
        guard faults.isEmpty, let name, let role else {
            throw .invalidContent(faults)
        }
        self.name = name
        self.role = role
        self.lifetime = lifetime
    }

    /// Whether a text can be the name of a token: 1 to 100 characters, none of them a control character.
    static func isName(_ text: String) -> Bool {
        (1...100).contains(text.count) && text.utf8.count <= 400
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}

/// Durations as bodies write them: `^\d+(ms|s|m|h|d)$`.
enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The milliseconds, or nil where it is no duration or too long to count.
    static func milliseconds(_ text: String) -> Int64? {
        let digits = text.utf8.prefix { $0.isDigit }
        guard !digits.isEmpty, let number = Int64(String(decoding: digits, as: UTF8.self)),
            let unit = units.first(where: { $0.suffix.utf8.elementsEqual(text.utf8.dropFirst(digits.count)) })
        else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow ? nil : product
    }
}

extension GatewayProblem.Fault {
    static func wrong(_ pointer: String, _ sentence: Sentence) -> Self {
        Self(pointer: pointer, code: "invalid_value", sentence)
    }

    static func unknownMember(_ name: String) -> Self {
        Self(
            pointer: JSONPointer(tokens: [name]).text,
            code: "unknown_member",
            Sentence("This member is not known here.", "Este miembro no se conoce aquí.")
        )
    }
}
