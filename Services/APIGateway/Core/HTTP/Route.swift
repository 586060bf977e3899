/// Every operation that the gateway serves.
package enum Route: String, CaseIterable, Sendable {
    case postSignal
    case getSignal
    case listRuns
    case listRecentRuns
    case getRun
    case getStepOutput
    case createAutomation
    case listAutomations
    case getAutomation
    case activateAutomation
    case deactivateAutomation
    case listActions
    case createToken
    case listTokens
    case revokeToken

    /// The methods in use.
    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    /// The method that the operation is asked for with.
    package var method: Method {
        switch self {
        case .getSignal, .listRuns, .listRecentRuns, .getRun, .getStepOutput, .listAutomations, .getAutomation,
            .listActions, .listTokens:
            .get
        case .postSignal, .createAutomation, .activateAutomation, .deactivateAutomation, .createToken: .post
        case .revokeToken: .delete
        }
    }

    /// The path with its parameters in braces: the name of the route in metrics and in the audit log.
    package var pattern: String {
        switch self {
        case .postSignal: "/api/signals"
        case .getSignal: "/api/signals/{signal_id}"
        case .listRuns: "/api/runs"
        case .listRecentRuns: "/api/runs/recent"
        case .getRun: "/api/runs/{run_id}"
        case .getStepOutput: "/api/runs/{run_id}/steps/{name}/output"
        case .createAutomation, .listAutomations: "/admin/api/automations"
        case .getAutomation: "/admin/api/automations/{id}"
        case .activateAutomation: "/admin/api/automations/{id}/activate"
        case .deactivateAutomation: "/admin/api/automations/{id}/deactivate"
        case .listActions: "/admin/api/actions"
        case .createToken, .listTokens: "/admin/api/tokens"
        case .revokeToken: "/admin/api/tokens/{token_id}"
        }
    }

    /// Method and pattern.
    package var name: String { "\(method.rawValue) \(pattern)" }
}
