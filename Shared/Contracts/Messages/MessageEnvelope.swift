package import Domain
package import FoundationEssentials

/// A property or header as the broker carries it.
package enum EnvelopeValue: Sendable, Equatable {
    case text(String)
    case integer(Int64)
}

/// The properties and headers of a message, as neutral values: no broker client is needed to read them.
package struct MessageHead: Sendable, Equatable {
    package var messageID: String?
    package var type: String?
    package var contentType: String?
    package var appID: String?
    package var userID: String?
    /// Seconds since 1970.
    package var timestamp: Int64?
    package var headers: [String: EnvelopeValue]

    package init(
        messageID: String? = nil,
        type: String? = nil,
        contentType: String? = nil,
        appID: String? = nil,
        userID: String? = nil,
        timestamp: Int64? = nil,
        headers: [String: EnvelopeValue] = [:]
    ) {
        self.messageID = messageID
        self.type = type
        self.contentType = contentType
        self.appID = appID
        self.userID = userID
        self.timestamp = timestamp
        self.headers = headers
    }
}

/// What every message of a lane says about itself beside its body.
package struct MessageEnvelope: Sendable, Equatable {
    /// The outbox row's id.
    package var messageID: UUID
    /// The contract of the body.
    package var type: String
    /// The contract's version, from 1.
    package var schemaVersion: Int
    package var contentType: String
    /// The service that published it.
    package var service: String
    /// The broker user that published it, which the broker has checked.
    package var user: String
    /// Seconds since 1970.
    package var timestamp: Int64
    package var tenant: Tenant
    /// The lane: `service/replica/lane`.
    package var producer: String
    package var epoch: Int64
    /// The number of the first item.
    package var seq: Int64
    /// How many items the body has; at least 1.
    package var count: Int
    /// W3C trace context.
    package var traceparent: String?

    package init(
        messageID: UUID,
        type: String,
        schemaVersion: Int,
        contentType: String,
        service: String,
        user: String,
        timestamp: Int64,
        tenant: Tenant,
        producer: String,
        epoch: Int64,
        seq: Int64,
        count: Int,
        traceparent: String? = nil
    ) {
        self.messageID = messageID
        self.type = type
        self.schemaVersion = schemaVersion
        self.contentType = contentType
        self.service = service
        self.user = user
        self.timestamp = timestamp
        self.tenant = tenant
        self.producer = producer
        self.epoch = epoch
        self.seq = seq
        self.count = count
        self.traceparent = traceparent
    }

    /// The number of the last item.
    package var lastSeq: Int64 { seq + Int64(count) - 1 }
}

extension MessageEnvelope {
    /// Reads an envelope strictly.
    ///
    /// - Throws: `ContractError` with code `badHeader`, naming the first property or header that is wrong.
    package init(_ head: MessageHead) throws(ContractError) {
        guard let messageID = try UUID(uuidString: Self.required(head.messageID, "message_id")) else {
            throw Self.wrong("message_id", "must be a UUID")
        }
        self.messageID = messageID
        type = try Self.required(head.type, "type")
        contentType = try Self.required(head.contentType, "content_type")
        service = try Self.required(head.appID, "app_id")
        user = try Self.required(head.userID, "user_id")
        guard let timestamp = head.timestamp else {
            throw Self.wrong("timestamp", "is missing")
        }
        self.timestamp = timestamp
        schemaVersion = try Int(Self.integer("x-schema-version", in: head, range: 1...1_000_000))
        guard let tenant = try Tenant(Self.text("x-tenant", in: head)) else {
            throw Self.wrong("x-tenant", "must be the key of a tenant")
        }
        self.tenant = tenant
        producer = try Self.text("x-producer", in: head)
        epoch = try Self.integer("x-epoch", in: head, range: 1...Self.largestNumber)
        seq = try Self.integer("x-seq", in: head, range: 1...Self.largestNumber)
        count = try Int(Self.integer("x-count", in: head, range: 1...1_000_000))
        traceparent = head.headers["traceparent"] == nil ? nil : try Self.text("traceparent", in: head)
    }

    /// The properties and headers to publish.
    package var head: MessageHead {
        var headers: [String: EnvelopeValue] = [
            "x-schema-version": .integer(Int64(schemaVersion)),
            "x-tenant": .text(tenant.key),
            "x-producer": .text(producer),
            "x-epoch": .integer(epoch),
            "x-seq": .integer(seq),
            "x-count": .integer(Int64(count)),
        ]
        if let traceparent {
            headers["traceparent"] = .text(traceparent)
        }
        return MessageHead(
            messageID: messageID.lowercased,
            type: type,
            contentType: contentType,
            appID: service,
            userID: user,
            timestamp: timestamp,
            headers: headers
        )
    }

    /// Numbers go into canonical JSON, which is exact up to here.
    private static let largestNumber: Int64 = 1 << 53

    private static func wrong(_ header: String, _ reason: String) -> ContractError {
        ContractError(.badHeader, "\(header) \(reason)")
    }

    private static func required(_ property: String?, _ name: String) throws(ContractError) -> String {
        guard let property, !property.isEmpty else {
            throw wrong(name, "is missing")
        }
        return property
    }

    private static func text(_ name: String, in head: MessageHead) throws(ContractError) -> String {
        switch head.headers[name] {
        case .text(let text) where !text.isEmpty: return text
        case .text, .integer: throw wrong(name, "must be a text")
        case nil: throw wrong(name, "is missing")
        }
    }

    private static func integer(
        _ name: String,
        in head: MessageHead,
        range: ClosedRange<Int64>
    ) throws(ContractError) -> Int64 {
        switch head.headers[name] {
        case .integer(let number) where range.contains(number): return number
        case .integer, .text:
            throw wrong(name, "must be an integer between \(range.lowerBound) and \(range.upperBound)")
        case nil: throw wrong(name, "is missing")
        }
    }
}
