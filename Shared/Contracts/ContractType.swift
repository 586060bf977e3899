/// The names of what goes over the broker and is not a request.
package enum ContractType {
    /// Accepted signals: an array of CloudEvents of one tenant and type.
    package static let signalsAccepted = "batuta.signals.accepted"
    /// Audit entries: canonical bytes, one entry per line.
    package static let auditEntries = "batuta.audit.entries"
    /// A value too large for an audit entry, to be kept beside the log.
    package static let auditKeep = "batuta.audit.keep"
}

/// The names of requests; each begins with the service that answers.
package enum RequestType {
    package static let engineAutomationsCreate = "engine.automations.create"
    package static let engineAutomationsList = "engine.automations.list"
    package static let engineAutomationsGet = "engine.automations.get"
    package static let engineAutomationsUpdate = "engine.automations.update"
    package static let engineAutomationsDelete = "engine.automations.delete"
    package static let engineAutomationsValidate = "engine.automations.validate"
    package static let engineAutomationsVersions = "engine.automations.versions"
    package static let engineAutomationsVersion = "engine.automations.version"
    package static let engineAutomationsDiff = "engine.automations.diff"
    package static let engineAutomationsRestore = "engine.automations.restore"
    package static let engineAutomationsExecute = "engine.automations.execute"
    package static let engineAutomationsActivate = "engine.automations.activate"
    package static let engineAutomationsDeactivate = "engine.automations.deactivate"
    package static let engineAutomationsPause = "engine.automations.pause"
    package static let engineAutomationsResume = "engine.automations.resume"
    package static let engineAutomationsSchema = "engine.automations.schema"
    package static let engineActionsList = "engine.actions.list"
    package static let engineActionsGet = "engine.actions.get"
    package static let engineActionsPut = "engine.actions.put"
    package static let engineActionsDelete = "engine.actions.delete"
    package static let engineRunsList = "engine.runs.list"
    package static let engineRunsGet = "engine.runs.get"
    package static let engineRunsStepOutput = "engine.runs.step_output"
    package static let engineRunsCancel = "engine.runs.cancel"
    package static let engineRunsResume = "engine.runs.resume"
    package static let engineRunsRerun = "engine.runs.rerun"
    package static let engineRunsDecide = "engine.runs.decide"
    package static let engineApprovalsList = "engine.approvals.list"
    package static let engineRunsResolve = "engine.runs.resolve"
    package static let engineAutomationsWhy = "engine.automations.why"
    package static let engineSecretsPut = "engine.secrets.put"
    package static let engineSecretsList = "engine.secrets.list"
    package static let engineSecretsDelete = "engine.secrets.delete"
    package static let engineSignalsDecisions = "engine.signals.decisions"
    package static let engineSignalsGet = "engine.signals.get"
    package static let engineSignalsLacking = "engine.signals.lacking"
    package static let auditLanesPosition = "audit.lanes.position"
    package static let auditEntriesList = "audit.entries.list"
    package static let auditEntriesProve = "audit.entries.prove"
    package static let auditProofsInclusion = "audit.proofs.inclusion"
    package static let auditObjectsHistory = "audit.objects.history"
    package static let auditCheckpointsNewest = "audit.checkpoints.newest"
    package static let auditCheckpointsCosign = "audit.checkpoints.cosign"
    package static let auditProofsConsistency = "audit.proofs.consistency"
    package static let auditTilesGet = "audit.tiles.get"
    package static let auditExportsBegin = "audit.exports.begin"
    package static let auditExportsGet = "audit.exports.get"
    package static let auditExportsEntries = "audit.exports.entries"
    package static let auditKeptGet = "audit.kept.get"
    package static let auditKeptErase = "audit.kept.erase"

    /// What is done with the messages that a service could not process.
    package enum DeadLetters: String, CaseIterable, Sendable {
        case list
        case get
        case redrive
        case discard
    }

    /// An operation on the dead letters of a service.
    package static func deadLetters(_ operation: DeadLetters, of service: String) -> String {
        "\(service).dead_letters.\(operation.rawValue)"
    }

    /// Which of some commands a service has not carried out.
    package static func commandsLacking(service: String) -> String {
        "\(service).commands.lacking"
    }
}
