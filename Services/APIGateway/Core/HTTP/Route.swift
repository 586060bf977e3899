/// Every operation that the gateway serves.
package enum Route: String, CaseIterable, Sendable {
    case postSignal
    case listSignals
    case getSignal
    case receiveHook
    case listRuns
    case listRecentRuns
    case getRun
    case getStepOutput
    case cancelRun
    case resumeRun
    case rerunRun
    case createAutomation
    case listAutomations
    case getAutomation
    case updateAutomation
    case deleteAutomation
    case validateAutomation
    case listAutomationVersions
    case getAutomationVersion
    case diffAutomation
    case restoreAutomation
    case executeAutomation
    case activateAutomation
    case deactivateAutomation
    case pauseAutomation
    case resumeAutomation
    case getAutomationSchema
    case listActions
    case getAction
    case putAction
    case deleteAction
    case whyAutomation
    case resolveStep
    case listApprovals
    case approveStep
    case rejectStep
    case listSecrets
    case putSecret
    case deleteSecret
    case createToken
    case listTokens
    case revokeToken
    case createHook
    case listHooks
    case getHook
    case deleteHook
    case rotateHook
    case listDeadLetters
    case getDeadLetter
    case redriveDeadLetter
    case discardDeadLetter
    case startReplay
    case listReplays
    case getReplay
    case cancelReplay
    case listAuditEntries
    case proveAuditEntry
    case listAuditProofs
    case getObjectHistory
    case getCheckpoint
    case addCosignature
    case getConsistency
    case getTile
    case startExport
    case getKeptValue
    case getExport
    case getExportedEntries
    case eraseKeptValue

    /// The methods in use.
    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// The method that the operation is asked for with.
    package var method: Method {
        switch self {
        case .listSignals, .getSignal, .listRuns, .listRecentRuns, .getRun, .getStepOutput, .listAutomations,
            .getAutomation, .listAutomationVersions, .getAutomationVersion, .diffAutomation, .getAutomationSchema,
            .listActions, .getAction, .listApprovals, .listSecrets,
            .listTokens, .listHooks, .getHook, .listDeadLetters,
            .getDeadLetter, .listReplays, .getReplay, .listAuditEntries, .proveAuditEntry, .listAuditProofs,
            .getObjectHistory, .getCheckpoint, .getConsistency, .getTile, .getKeptValue, .getExport,
            .getExportedEntries:
            .get
        case .postSignal, .receiveHook, .whyAutomation, .resolveStep, .approveStep, .rejectStep, .cancelRun, .resumeRun,
            .rerunRun,
            .createAutomation, .validateAutomation,
            .restoreAutomation, .executeAutomation, .activateAutomation, .deactivateAutomation, .pauseAutomation,
            .resumeAutomation, .createToken,
            .createHook, .rotateHook, .redriveDeadLetter, .discardDeadLetter,
            .startReplay, .cancelReplay, .addCosignature, .startExport, .eraseKeptValue:
            .post
        case .putSecret, .updateAutomation, .putAction: .put
        case .revokeToken, .deleteAutomation, .deleteAction, .deleteHook, .deleteSecret: .delete
        }
    }

    /// The path with its parameters in braces: the name of the route in metrics and in the audit log.
    package var pattern: String {
        switch self {
        case .postSignal, .listSignals: "/api/signals"
        case .getSignal: "/api/signals/{signal_id}"
        case .receiveHook: "/api/hooks/{source}"
        case .listRuns: "/api/runs"
        case .listRecentRuns: "/api/runs/recent"
        case .getRun: "/api/runs/{run_id}"
        case .getStepOutput: "/api/runs/{run_id}/steps/{name}/output"
        case .cancelRun: "/api/runs/{run_id}/cancel"
        case .resumeRun: "/api/runs/{run_id}/resume"
        case .rerunRun: "/api/runs/{run_id}/rerun"
        case .createAutomation, .listAutomations: "/admin/api/automations"
        case .getAutomation, .updateAutomation, .deleteAutomation: "/admin/api/automations/{id}"
        case .validateAutomation: "/admin/api/automations/validate"
        case .listAutomationVersions: "/admin/api/automations/{id}/versions"
        case .getAutomationVersion: "/admin/api/automations/{id}/versions/{version}"
        case .diffAutomation: "/admin/api/automations/{id}/diff"
        case .restoreAutomation: "/admin/api/automations/{id}/versions/{version}/restore"
        case .executeAutomation: "/admin/api/automations/{id}/execute"
        case .activateAutomation: "/admin/api/automations/{id}/activate"
        case .deactivateAutomation: "/admin/api/automations/{id}/deactivate"
        case .pauseAutomation: "/admin/api/automations/{id}/pause"
        case .resumeAutomation: "/admin/api/automations/{id}/resume"
        case .getAutomationSchema: "/admin/api/schemas/automation"
        case .listActions: "/admin/api/actions"
        case .getAction, .putAction, .deleteAction: "/admin/api/actions/{action_key}"
        case .whyAutomation: "/admin/api/automations/{id}/why"
        case .resolveStep: "/api/runs/{run_id}/steps/{name}/resolve"
        case .listApprovals: "/api/approvals"
        case .approveStep: "/api/runs/{run_id}/steps/{name}/approve"
        case .rejectStep: "/api/runs/{run_id}/steps/{name}/reject"
        case .listSecrets: "/admin/api/secrets"
        case .putSecret, .deleteSecret: "/admin/api/secrets/{name}"
        case .createToken, .listTokens: "/admin/api/tokens"
        case .revokeToken: "/admin/api/tokens/{token_id}"
        case .createHook, .listHooks: "/admin/api/hooks"
        case .getHook, .deleteHook: "/admin/api/hooks/{name}"
        case .rotateHook: "/admin/api/hooks/{name}/rotate"
        case .listDeadLetters: "/admin/api/dead-letters"
        case .getDeadLetter: "/admin/api/dead-letters/{service}/{id}"
        case .redriveDeadLetter: "/admin/api/dead-letters/{service}/{id}/redrive"
        case .discardDeadLetter: "/admin/api/dead-letters/{service}/{id}/discard"
        case .startReplay: "/admin/api/automations/{id}/replays"
        case .listReplays: "/admin/api/replays"
        case .getReplay: "/admin/api/replays/{id}"
        case .cancelReplay: "/admin/api/replays/{id}/cancel"
        case .listAuditEntries: "/api/audit/entries"
        case .proveAuditEntry: "/api/audit/entries/{index}"
        case .listAuditProofs: "/api/audit/proofs"
        case .getObjectHistory: "/api/audit/objects/{type}/{id}"
        case .getCheckpoint: "/api/audit/checkpoint"
        case .addCosignature: "/api/audit/checkpoint/cosignatures"
        case .getConsistency: "/api/audit/consistency"
        case .getTile: "/api/audit/tiles/{level}/{index}"
        case .startExport: "/api/audit/exports"
        case .getKeptValue: "/api/audit/kept/{sha256}"
        case .getExport: "/api/audit/exports/{id}"
        case .getExportedEntries: "/api/audit/exports/{id}/entries"
        case .eraseKeptValue: "/admin/api/audit/kept/{sha256}/erase"
        }
    }

    /// Method and pattern.
    package var name: String { "\(method.rawValue) \(pattern)" }
}
