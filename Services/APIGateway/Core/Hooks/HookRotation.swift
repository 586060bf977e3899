import JSON

/// What the body of `POST /admin/api/hooks/{name}/rotate` asks for.
struct HookRotation: Sendable {
    /// The new secret, where the client gave one.
    let secret: String?
    /// For how long the present secret is still accepted, in milliseconds.
    let grace: Int64

    private static let members: Set<String> = ["secret", "grace"]
    /// A day.
    private static let usualGrace: Int64 = 86_400_000
    /// 30 days.
    private static let longestGrace: Int64 = 30 * 86_400_000

    /// Reads a body; a problem names every fault.
    init(_ body: JSONView, of credential: HookCredential) throws(GatewayProblem) {
        var faults: [GatewayProblem.Fault] = []
        for member in body.members where !Self.members.contains(member.key) {
            faults.append(.unknownMember(member.key))
        }
        secret = HookRequest.secret(body, of: credential, faults: &faults)
        var grace = Self.usualGrace
        if let value = body.present("grace") {
            grace = value.stringValue.flatMap { DurationText.milliseconds($0) } ?? -1
            if !(0...Self.longestGrace).contains(grace) {
                faults.append(
                    .wrong(
                        "/grace",
                        Sentence(
                            "It must be a duration such as 24h, from 0s to 30d.",
                            "Debe ser una duración como 24h, de 0s a 30d."
                        )
                    )
                )
            }
        }
        guard faults.isEmpty else {
            throw .invalidContent(faults)
        }
        self.grace = grace
    }
}
