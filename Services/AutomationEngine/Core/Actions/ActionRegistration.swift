import Contracts
import JSON

/// What an administrator says of an action that a service of the tenant's own carries out.
struct ActionRegistration: Sendable {
    /// A registration is at most this long, in bytes.
    static let maximumBytes = 64 * 1_024

    var declaration: ActionDeclaration
    /// What a dry run gives, valid under the output's schema; nil where the action cannot be simulated.
    var sample: [UInt8]?
    var endpoint: ActionEndpoint
    /// The secrets that it names, with their places.
    var secrets: [(name: String, pointer: JSONPointer)]
    /// As it was written.
    var bytes: [UInt8]

    /// Reads the body of `PUT /admin/api/actions/{action_key}`.
    ///
    /// - Parameters:
    ///   - body: The body.
    ///   - key: The action's name, known to be well formed.
    /// - Throws: All faults of the body, as a `Problem`.
    init(_ body: JSONView, key: String) throws(Problem) {
        var reader = ActionRegistrationReader(body, key: key)
        guard let registration = reader.read() else {
            throw Problem.registration(reader.faults)
        }
        self = registration
    }

    init(
        declaration: ActionDeclaration,
        sample: [UInt8]?,
        endpoint: ActionEndpoint,
        secrets: [(name: String, pointer: JSONPointer)],
        bytes: [UInt8]
    ) {
        self.declaration = declaration
        self.sample = sample
        self.endpoint = endpoint
        self.secrets = secrets
        self.bytes = bytes
    }
}
