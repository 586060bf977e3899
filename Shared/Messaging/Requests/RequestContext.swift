package import Contracts

/// On whose behalf a request is made, and until when it is of use.
package struct RequestContext: Sendable, Equatable {
    /// The tenant; `batuta` for what belongs to none.
    package var tenant: String
    package var actor: AuditActor
    /// What logs and audit entries call the request.
    package var requestID: String
    /// Makes a repeated change answer what the first one answered.
    package var idempotencyKey: String?
    /// W3C trace context.
    package var traceparent: String?
    /// After this nothing is started any more.
    package var deadline: ContinuousClock.Instant

    package init(
        tenant: String,
        actor: AuditActor,
        requestID: String,
        idempotencyKey: String? = nil,
        traceparent: String? = nil,
        deadline: ContinuousClock.Instant = .now + .seconds(10)
    ) {
        self.tenant = tenant
        self.actor = actor
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.traceparent = traceparent
        self.deadline = deadline
    }

    /// Whom the idempotency key belongs to.
    package var principal: String { actor.principal }
}

/// The answer to a request.
package struct Reply: Sendable, Equatable {
    /// An HTTP status.
    package var status: Int
    /// JSON: the answer, or a problem.
    package var body: [UInt8]

    package init(status: Int = 200, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    /// The answer that tells a problem.
    package init(_ problem: Problem) {
        self.init(status: problem.status, body: problem.replyBody)
    }

    /// What went wrong; nil where the status is a success.
    package var problem: Problem? {
        (200..<300).contains(status) ? nil : Problem(replyBody: body, status: status)
    }
}
