import Domain
import HTTPTypes
import ServiceRuntime

/// A webhook before its body was read.
struct HookDelivery: Sendable {
    /// What stands in the path.
    let source: String
    let headers: HTTPFields
    let requestID: String
    let trace: TraceContext

    /// Tenant and name in the path; nil where they cannot be such.
    var address: (tenant: Tenant, name: String)? {
        let parts = source.split(separator: ".", omittingEmptySubsequences: false)
        // A name has the form of a tenant's key.
        guard parts.count == 2, let tenant = Tenant(String(parts[0])), let name = Tenant(String(parts[1])) else {
            return nil
        }
        return (tenant, name.key)
    }

    /// A header field that is plain visible ASCII of at most 255 bytes; nil where it is absent.
    ///
    /// - Throws: `GatewayProblem` with 400 where it is something else.
    func word(_ name: HTTPField.Name) throws -> String? {
        guard let value = headers[name] else {
            return nil
        }
        guard (1...255).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw GatewayProblem.invalidParameter(name.rawName)
        }
        return value
    }
}

extension HTTPField.Name {
    static let hubSignature = known("X-Hub-Signature-256")
    static let gitHubEvent = known("X-GitHub-Event")
    static let gitHubDelivery = known("X-GitHub-Delivery")
    static let stripeSignature = known("Stripe-Signature")
    static let webhookID = known("webhook-id")
    static let webhookTimestamp = known("webhook-timestamp")
    static let webhookSignature = known("webhook-signature")
}
