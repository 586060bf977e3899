import APIGatewayCore
import Domain
import Testing

@Suite struct AccessTableTests {
    /// The table of the architecture, once more and in another form: every role and route stands here.
    private static let allowed: [Role: Set<Route>] = [
        .sender: [.postSignal],
        .viewer: reads,
        .operator: reads.union([.postSignal, .resolveStep, .cancelRun, .resumeRun, .rerunRun, .executeAutomation])
            .union(hooks).union(letters)
            .union([.redriveDeadLetter, .discardDeadLetter, .startReplay, .cancelReplay])
            .union([.pauseAutomation, .resumeAutomation]),
        .author: reads.union(hooks)
            .union([
                .postSignal, .listSecrets, .createAutomation, .updateAutomation, .deleteAutomation, .validateAutomation,
                .restoreAutomation, .activateAutomation, .deactivateAutomation, .pauseAutomation, .resumeAutomation,
            ]),
        .admin: Set(Route.allCases).subtracting([.receiveHook]),
        .auditor: reads.union(hooks).union(letters).union(proofs),
    ]
    private static let hooks: Set<Route> = [.listHooks, .getHook]
    private static let letters: Set<Route> = [.listDeadLetters, .getDeadLetter, .listReplays, .getReplay]
    private static let proofs: Set<Route> = [
        .listAuditEntries, .proveAuditEntry, .listAuditProofs, .getObjectHistory, .getCheckpoint, .addCosignature,
        .getConsistency, .getTile, .getKeptValue, .startExport, .getExport, .getExportedEntries,
    ]
    private static let reads: Set<Route> = [
        .listSignals, .getSignal, .listRuns, .listRecentRuns, .getRun, .getStepOutput, .listAutomations, .getAutomation,
        .listAutomationVersions, .getAutomationVersion, .diffAutomation, .getAutomationSchema, .listActions,
        .getAction, .whyAutomation, .listApprovals, .approveStep, .rejectStep,
    ]

    @Test(arguments: Role.allCases, Route.allCases)
    func everyRoleAndRoute(role: Role, route: Route) {
        #expect(AccessTable.allows(role, route) == (Self.allowed[role]?.contains(route) ?? false))
    }
}
