import Contracts
import JSON

/// Which state of an automation a change is based on, as its caller states it.
struct AutomationCondition: Sendable {
    /// The ETag of an `If-Match`; `*` stands for any.
    var etag: String?
    var version: Int?

    /// Reads the condition of a request.
    ///
    /// - Parameters:
    ///   - request: What the gateway sent.
    ///   - version: The version that the caller's body names.
    init(_ request: JSONView, version: Int? = nil) {
        etag = request["if_match"]?.stringValue
        self.version = version
    }

    /// Refuses a change that does not say what it is based on.
    func require() throws(Problem) {
        guard etag != nil || version != nil else {
            throw Problem(
                .preconditionRequired,
                "Say which state the change is based on: its ETag in If-Match, or its version in the body.",
                detailES: "Indique en qué estado se basa el cambio: su ETag en If-Match, o su versión en el cuerpo."
            )
        }
    }

    /// Refuses a change that is based on another state.
    func check(_ automation: Automation) throws(Problem) {
        if let etag, etag != "*", etag != automation.etag {
            throw Problem(.preconditionFailed, "The automation has changed since it was read.")
        }
        if let version, version != automation.version {
            throw Problem(
                .staleVersion,
                "The change is based on version \(version), and the automation is at version \(automation.version).",
                detailES: "El cambio se basa en la versión \(version), y la automatización está en la versión "
                    + "\(automation.version)."
            )
        }
    }
}
