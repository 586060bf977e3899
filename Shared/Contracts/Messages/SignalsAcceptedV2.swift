import Domain
package import FoundationEssentials
package import JSON

/// Accepted signals of one tenant and type, some of them aimed at one automation: `batuta.signals.accepted`, version 2.
///
/// It is version 1 with two more attributes in the events that are aimed, and it is written for these only: every other
/// signal goes on being sent in version 1. A release that knows only version 1 puts a message of version 2 away as a dead
/// letter, so it never takes an aimed signal for one that wakes every automation it matches.
package struct SignalsAcceptedV2: Contract {
    package static let type = ContractType.signalsAccepted
    package static let version = 2
    package static let contentType = SignalsAcceptedV1.contentType

    /// The attribute with the id or the key of the one automation that a signal is for; no key is shaped like a UUID.
    package static let targetAttribute = "batutatarget"
    /// The attribute with what the signal's sender says about it: an object of JSON, as the text of a string.
    package static let metadataAttribute = "batutametadata"
    /// The attribute in which an event carries how many signals led to it.
    package static let depthAttribute = "batutadepth"

    /// How an aimed signal names its automation.
    package enum Target: Hashable, Sendable {
        case id(UUID)
        /// Its key within the signal's tenant.
        case key(String)

        /// As the attribute has it.
        package var text: String {
            switch self {
            case .id(let id): id.lowercased
            case .key(let key): key
            }
        }

        /// Reads the attribute; nil where it is neither an id nor a key.
        package init?(_ text: String) {
            if let id = UUID(uuidString: text) {
                self = .id(id)
            } else if text.isAutomationKey {
                self = .key(text)
            } else {
                return nil
            }
        }
    }

    /// What an aimed signal says beside its event.
    package struct Aim: Sendable {
        /// The one automation that it is for.
        package let target: Target
        /// Where it comes from, as `signal.metadata` shows it: an object.
        package let metadata: JSONView

        /// Reads an event; nil where it is not aimed.
        ///
        /// - Throws: `ContractError` with code `badBody` where only a part of it is there, or it is not what it must be.
        package init?(_ event: JSONView) throws(ContractError) {
            guard let target = event[SignalsAcceptedV2.targetAttribute] else {
                return nil
            }
            guard let target = target.stringValue.flatMap(Target.init),
                let text = event[SignalsAcceptedV2.metadataAttribute]?.stringValue,
                let metadata = try? JSONDocument(parsing: text).root, metadata.kind == .object
            else {
                throw ContractError(.badBody, "an aimed event has no target or no metadata")
            }
            self.target = target
            self.metadata = metadata
        }
    }

    /// One accepted signal, read where it stands in the message.
    package struct Event: Sendable {
        package let event: SignalsAcceptedV1.Event
        /// Nil where the signal is for every automation that it matches.
        package let aim: Aim?
    }

    package let events: [Event]

    /// Reads the array; each element must be an object with a `batutasignalid`.
    ///
    /// - Throws: `ContractError` with code `badBody`.
    package init(decoding body: [UInt8]) throws {
        events = try SignalsAcceptedV1(decoding: body).events.map { Event(event: $0, aim: try Aim($0.view)) }
    }

    /// What version 1 says: no signal of it is aimed.
    package init(_ previous: SignalsAcceptedV1) {
        events = previous.events.map { Event(event: $0, aim: nil) }
    }
}
