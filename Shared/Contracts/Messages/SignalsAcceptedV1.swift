package import FoundationEssentials
package import JSON

/// Accepted signals of one tenant and type: `batuta.signals.accepted`, version 1.
package struct SignalsAcceptedV1: Contract {
    /// The extension that names the person who has asked for what the signal starts; a program has none.
    package static let requesterAttribute = "batutarequester"

    package static let type = ContractType.signalsAccepted
    package static let version = 1
    package static let contentType = "application/cloudevents-batch+json"

    /// One accepted signal, read where it stands in the message.
    package struct Event: Sendable {
        /// The id that the gateway gave it: its extension `batutasignalid`.
        package let signalID: UUID
        /// The CloudEvent in structured form.
        package let view: JSONView

        /// The event's bytes.
        package var bytes: [UInt8] { Array(view.rawBytes) }
    }

    package let events: [Event]

    /// Reads the array; each element must be an object with a `batutasignalid`.
    ///
    /// - Throws: `ContractError` with code `badBody`.
    package init(decoding body: [UInt8]) throws {
        let limits = JSONLimits(maximumBytes: 1 << 24, maximumDepth: 68, maximumValues: 4_000_000)
        let root = try JSONDocument(parsing: body, limits: limits).root
        guard root.kind == .array else {
            throw ContractError(.badBody, "the body is no array of events")
        }
        var events: [Event] = []
        events.reserveCapacity(root.count)
        for view in root.elements {
            guard view.kind == .object, let text = view["batutasignalid"]?.stringValue, let id = UUID(uuidString: text)
            else {
                throw ContractError(.badBody, "event \(events.count) has no batutasignalid")
            }
            events.append(Event(signalID: id, view: view))
        }
        self.events = events
    }

    /// The body of events, given as their bytes in structured form.
    package static func body(of events: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = [UInt8(ascii: "[")]
        body.append(contentsOf: events.joined(separator: [UInt8(ascii: ",")]))
        body.append(UInt8(ascii: "]"))
        return body
    }
}
