/// Carries out what an admitted request asks for.
struct GatewayOperations: Sendable {
    let signals: SignalOperations
    let runs: RunOperations
    let automations: AutomationOperations
    let actions: ActionOperations
    let tokens: TokenOperations
    let secrets: SecretOperations
    let hooks: HookOperations
    let receiver: HookReceiver
    let deadLetters: DeadLetterOperations
    let replays: ReplayOperations
    let audit: AuditOperations

    func perform(_ request: GatewayRequest) async throws -> GatewayAnswer {
        switch request.route {
        case .postSignal: try await signals.post(request)
        case .listSignals: try await signals.list(request)
        case .getSignal: try await signals.get(request)
        // It comes without a caller and never gets here.
        case .receiveHook: throw GatewayProblem.notFound
        case .listRuns, .listRecentRuns: try await runs.list(request)
        case .getRun: try await runs.get(request)
        case .getStepOutput: try await runs.stepOutput(request)
        case .cancelRun, .resumeRun: try await runs.control(request)
        case .rerunRun: try await runs.rerun(request)
        case .createAutomation: try await automations.create(request)
        case .listAutomations: try await automations.list(request)
        case .getAutomation: try await automations.get(request)
        case .updateAutomation: try await automations.update(request)
        case .deleteAutomation: try await automations.delete(request)
        case .validateAutomation: try await automations.validate(request)
        case .listAutomationVersions: try await automations.versions(request)
        case .getAutomationVersion: try await automations.version(request)
        case .diffAutomation: try await automations.diff(request)
        case .restoreAutomation: try await automations.restore(request)
        case .executeAutomation: try await automations.execute(request)
        case .activateAutomation, .deactivateAutomation, .pauseAutomation, .resumeAutomation:
            try await automations.change(request)
        case .getAutomationSchema: try await automations.schema(request)
        case .listActions: try await actions.list(request)
        case .getAction: try await actions.get(request)
        case .putAction: try await actions.put(request)
        case .deleteAction: try await actions.delete(request)
        case .whyAutomation: try await automations.why(request)
        case .resolveStep: try await runs.resolve(request)
        case .listApprovals: try await runs.approvals(request)
        case .approveStep: try await runs.decide(request, "approve", takesForm: true)
        case .rejectStep: try await runs.decide(request, "reject", takesForm: false)
        case .listSecrets: try await secrets.list(request)
        case .putSecret: try await secrets.put(request)
        case .deleteSecret: try await secrets.delete(request)
        case .createToken: try await tokens.create(request)
        case .listTokens: try await tokens.list(request)
        case .revokeToken: try await tokens.revoke(request)
        case .createHook: try await hooks.create(request)
        case .listHooks: try await hooks.list(request)
        case .getHook: try await hooks.get(request)
        case .deleteHook: try await hooks.delete(request)
        case .rotateHook: try await hooks.rotate(request)
        case .listDeadLetters: try await deadLetters.list(request)
        case .getDeadLetter: try await deadLetters.get(request)
        case .redriveDeadLetter: try await deadLetters.redrive(request)
        case .discardDeadLetter: try await deadLetters.discard(request)
        case .startReplay: try await replays.start(request)
        case .listReplays: try await replays.list(request)
        case .getReplay: try await replays.get(request)
        case .cancelReplay: try await replays.cancel(request)
        case .listAuditEntries: try await audit.list(request)
        case .proveAuditEntry: try await audit.prove(request)
        case .listAuditProofs: try await audit.proofs(request)
        case .getObjectHistory: try await audit.history(request)
        case .getCheckpoint: try await audit.checkpoint(request)
        case .addCosignature: try await audit.cosign(request)
        case .getConsistency: try await audit.consistency(request)
        case .getTile: try await audit.tile(request)
        case .startExport: try await audit.startExport(request)
        case .getKeptValue: try await audit.keptValue(request)
        case .getExport: try await audit.export(request)
        case .getExportedEntries: try await audit.exportedEntries(request)
        case .eraseKeptValue: try await audit.erase(request)
        }
    }
}
