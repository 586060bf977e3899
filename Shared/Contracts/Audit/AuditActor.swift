/// Who made a change.
package struct AuditActor: Sendable, Hashable {
    /// What kind of somebody it was.
    package enum Kind: String, Sendable, CaseIterable {
        case admin
        case user
        case schedule
        case worker
        case system
    }

    package var type: Kind
    /// The name of the token, schedule, worker or service.
    package var id: String
    /// How it was authenticated, such as `token:<token_id>`.
    package var via: String?

    package init(type: Kind, id: String, via: String? = nil) {
        self.type = type
        self.id = id
        self.via = via
    }

    /// Whom an idempotency key belongs to: the credential, else the actor itself.
    package var principal: String { via ?? "\(type.rawValue):\(id)" }
}

/// What was changed.
package struct AuditObject: Sendable, Hashable {
    package var type: String
    package var id: String
    package var version: Int?

    package init(type: String, id: String, version: Int? = nil) {
        self.type = type
        self.id = id
        self.version = version
    }
}

/// How a change ended.
package enum AuditOutcome: String, Sendable, CaseIterable {
    case done
    case refused
}
