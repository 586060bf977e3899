package import FoundationEssentials

/// An audit entry that has no place in a lane yet.
package struct AuditDraft: Sendable, Equatable {
    /// A value of more bytes than this stands in an entry by its salted hash, as what is personal does.
    package static let largestValue = 8 * 1_024

    package var id: UUID
    package var time: Timestamp
    /// The tenant; `batuta` for what belongs to none.
    package var tenant: String
    package var actor: AuditActor
    package var action: String
    package var object: AuditObject
    package var before: AuditValue
    package var after: AuditValue
    package var reason: String?
    package var requestID: String?
    package var traceID: String?
    package var outcome: AuditOutcome

    package init(
        id: UUID,
        time: Timestamp,
        tenant: String,
        actor: AuditActor,
        action: String,
        object: AuditObject,
        before: AuditValue = .none,
        after: AuditValue = .none,
        reason: String? = nil,
        requestID: String? = nil,
        traceID: String? = nil,
        outcome: AuditOutcome = .done
    ) {
        self.id = id
        self.time = time
        self.tenant = tenant
        self.actor = actor
        self.action = action
        self.object = object
        self.before = before
        self.after = after
        self.reason = reason
        self.requestID = requestID
        self.traceID = traceID
        self.outcome = outcome
    }

    /// The entry with what is large or personal replaced by its salted hash, and what was replaced.
    ///
    /// Personal values stand apart one by one; a value that is too large even so stands apart as a whole, in one piece.
    ///
    /// - Parameter salt: Makes 16 random bytes; called once per value that is too large.
    /// - Returns: The smaller entry, and what is to be kept beside the log.
    package func keepingApart(salt: () -> [UInt8] = Self.randomSalt) -> (draft: AuditDraft, kept: [KeptBody]) {
        guard !before.standsAsIs || !after.standsAsIs else {
            return (self, [])
        }
        var draft = self
        var kept: [KeptBody] = []
        for path in [\AuditDraft.before, \AuditDraft.after] where !draft[keyPath: path].standsAsIs {
            let (written, bodies) = draft[keyPath: path].keptApart(salt)
            draft[keyPath: path] = .canonical(written)
            kept += bodies
        }
        return (draft, kept)
    }

    /// 16 bytes of the system's random numbers.
    package static func randomSalt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<KeptBody.saltLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

extension AuditDraft {
    /// The entry's canonical bytes (RFC 8785) at a place of a lane.
    ///
    /// The members are written in the order of their names; nothing is sorted or copied on the way.
    package func canonicalBytes(producer: String, epoch: Int64, seq: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(640 + before.count + after.count)
        bytes.append(contentsOf: "{\"action\":".utf8)
        bytes.append(jsonString: action)
        bytes.append(contentsOf: ",\"actor\":{\"id\":".utf8)
        bytes.append(jsonString: actor.id)
        bytes.append(contentsOf: ",\"type\":\"".utf8)
        bytes.append(contentsOf: actor.type.rawValue.utf8)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(member: ",\"via\":", actor.via)
        bytes.append(contentsOf: "},\"after\":".utf8)
        after.append(to: &bytes)
        bytes.append(contentsOf: ",\"before\":".utf8)
        before.append(to: &bytes)
        bytes.append(contentsOf: ",\"epoch\":".utf8)
        bytes.append(decimal: epoch)
        bytes.append(contentsOf: ",\"id\":\"".utf8)
        bytes.append(uuid: id)
        bytes.append(contentsOf: "\",\"object\":{\"id\":".utf8)
        bytes.append(jsonString: object.id)
        bytes.append(contentsOf: ",\"type\":".utf8)
        bytes.append(jsonString: object.type)
        if let version = object.version {
            bytes.append(contentsOf: ",\"version\":".utf8)
            bytes.append(decimal: Int64(version))
        }
        bytes.append(contentsOf: "},\"outcome\":\"".utf8)
        bytes.append(contentsOf: outcome.rawValue.utf8)
        bytes.append(contentsOf: "\",\"producer\":".utf8)
        bytes.append(jsonString: producer)
        bytes.append(member: ",\"reason\":", reason)
        bytes.append(member: ",\"request_id\":", requestID)
        bytes.append(contentsOf: ",\"seq\":".utf8)
        bytes.append(decimal: seq)
        bytes.append(contentsOf: ",\"tenant\":".utf8)
        bytes.append(jsonString: tenant)
        bytes.append(contentsOf: ",\"time\":\"".utf8)
        time.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(member: ",\"trace_id\":", traceID)
        bytes.append(contentsOf: ",\"v\":1}".utf8)
        return bytes
    }
}

extension AuditValue {
    fileprivate var count: Int {
        switch self {
        case .none: 4
        case .canonical(let bytes): bytes.count
        case .rewritten(let value): value.written.count
        }
    }

    /// Whether it stands in the entry as it is.
    fileprivate var standsAsIs: Bool {
        switch self {
        case .none: true
        case .canonical(let bytes): bytes.count <= AuditDraft.largestValue
        case .rewritten: false
        }
    }

    /// What stands in the entry, and what is kept beside the log for it.
    fileprivate func keptApart(_ salt: () -> [UInt8]) -> (written: [UInt8], kept: [KeptBody]) {
        let whole: [UInt8]
        switch self {
        case .none: return (Array("null".utf8), [])
        case .canonical(let bytes): whole = bytes
        case .rewritten(let value):
            guard value.written.count > AuditDraft.largestValue else {
                return (value.written, value.kept)
            }
            whole = value.whole
        }
        let body = KeptBody(body: whole, salt: salt())
        return (KeptReference.bytes(to: body), [body])
    }
}

extension [UInt8] {
    fileprivate mutating func append(member prefix: StaticString, _ text: String?) {
        guard let text else {
            return
        }
        append(contentsOf: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        append(jsonString: text)
    }
}
