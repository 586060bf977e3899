package import Domain
package import FoundationEssentials

/// Who is behind a request: a live token.
package struct Principal: Sendable, Equatable {
    package let tokenID: UUID
    package let tenant: Tenant
    /// The token's name, which stands for a person or a program.
    package let name: String
    package let role: Role
    /// Unix seconds after which the token is not accepted any more.
    package let expiresAt: Double?

    package init(tokenID: UUID, tenant: Tenant, name: String, role: Role, expiresAt: Double? = nil) {
        self.tokenID = tokenID
        self.tenant = tenant
        self.name = name
        self.role = role
        self.expiresAt = expiresAt
    }

    /// The actor's type in the audit log.
    package var actorType: String { role == .admin ? "admin" : "user" }

    /// How the actor came: by which token.
    package var via: String { "token:\(tokenID.lowercased)" }

    /// Whether the token is still accepted at an instant.
    package func isLive(at seconds: Double) -> Bool {
        expiresAt.map { seconds < $0 } ?? true
    }
}

/// The live tokens as they stood at one generation.
package struct IdentitySnapshot: Sendable {
    package let generation: Int64
    package let principals: [TokenHash: Principal]

    package init(generation: Int64, principals: [TokenHash: Principal]) {
        self.generation = generation
        self.principals = principals
    }

    /// The principal behind a token at an instant, or nil where it is unknown, revoked or expired.
    package func principal(_ hash: TokenHash, at seconds: Double) -> Principal? {
        guard let principal = principals[hash], principal.isLive(at: seconds) else {
            return nil
        }
        return principal
    }
}
