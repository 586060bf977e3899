import Crypto
import Domain
import FoundationEssentials
import JSON

/// One version of an automation, ready to execute.
struct CompiledAutomation: Sendable {
    /// A step with everything that can be worked out beforehand.
    struct Step: Sendable {
        var name: String
        var actionKey: String
        /// Canonical bytes of the input, resolved.
        var input: [UInt8]
        /// SHA-256 of the input, in hex.
        var inputHash: String
    }

    var id: UUID
    var tenant: String
    var key: String
    var version: Int
    var trigger: SignalTrigger
    var steps: [Step]

    init(id: UUID, tenant: String, key: String, version: Int, definition: AutomationDefinition) {
        self.id = id
        self.tenant = tenant
        self.key = key
        self.version = version
        trigger = definition.trigger
        steps = definition.steps.map { step in
            Step(
                name: step.name,
                actionKey: step.actionKey,
                input: step.input,
                inputHash: SHA256.hash(data: step.input).hex
            )
        }
    }
}

extension Digest {
    /// The digest in lower-case hex.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
