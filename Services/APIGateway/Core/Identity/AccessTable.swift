package import Domain

/// Which role may use which route: the one place where that is decided.
package enum AccessTable {
    /// Whether a principal of the role may use the route.
    package static func allows(_ role: Role, _ route: Route) -> Bool {
        roles(for: route).contains(role)
    }

    /// The roles that may use a route.
    package static func roles(for route: Route) -> Set<Role> {
        switch route {
        case .postSignal: [.sender, .operator, .author, .admin]
        // Its signature is its credential; no token opens it.
        case .receiveHook: []
        case .listSignals, .getSignal, .listRuns, .listRecentRuns, .getRun, .getStepOutput, .listAutomations,
            .getAutomation, .listAutomationVersions, .getAutomationVersion, .diffAutomation, .getAutomationSchema,
            .listActions, .getAction, .listApprovals,
            .whyAutomation:
            [.viewer, .operator, .author, .admin, .auditor]
        case .resolveStep, .cancelRun, .resumeRun, .rerunRun, .executeAutomation: [.operator, .admin]
        // An approval names who may decide about it: by role, or by name.
        case .approveStep, .rejectStep: [.viewer, .operator, .author, .admin, .auditor]
        case .pauseAutomation, .resumeAutomation: [.operator, .author, .admin]
        case .redriveDeadLetter, .discardDeadLetter, .startReplay, .cancelReplay: [.operator, .admin]
        case .listDeadLetters, .getDeadLetter, .listReplays, .getReplay: [.operator, .admin, .auditor]
        case .listSecrets: [.author, .admin]
        case .listAuditEntries, .proveAuditEntry, .listAuditProofs, .getObjectHistory, .getCheckpoint, .addCosignature,
            .getConsistency, .getTile, .getKeptValue, .startExport, .getExport, .getExportedEntries:
            [.admin, .auditor]
        case .createAutomation, .updateAutomation, .deleteAutomation, .validateAutomation, .restoreAutomation,
            .activateAutomation, .deactivateAutomation:
            [.author, .admin]
        case .listHooks, .getHook: [.operator, .author, .admin, .auditor]
        case .createToken, .listTokens, .revokeToken, .createHook, .deleteHook, .rotateHook,
            .putSecret, .deleteSecret, .putAction, .deleteAction, .eraseKeptValue:
            [.admin]
        }
    }
}
