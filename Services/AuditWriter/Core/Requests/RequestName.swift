import Contracts

/// The requests that this service answers.
enum RequestName {
    static let lanesPosition = RequestType.auditLanesPosition
    static let commandsLacking = RequestType.commandsLacking(service: "audit")
    static let entriesList = RequestType.auditEntriesList
    static let entriesProve = RequestType.auditEntriesProve
    static let proofsInclusion = RequestType.auditProofsInclusion
    static let objectsHistory = RequestType.auditObjectsHistory
    static let checkpointsNewest = RequestType.auditCheckpointsNewest
    static let checkpointsCosign = RequestType.auditCheckpointsCosign
    static let proofsConsistency = RequestType.auditProofsConsistency
    static let tilesGet = RequestType.auditTilesGet
    static let exportsBegin = RequestType.auditExportsBegin
    static let exportsGet = RequestType.auditExportsGet
    static let exportsEntries = RequestType.auditExportsEntries
    static let keptGet = RequestType.auditKeptGet
    static let keptErase = RequestType.auditKeptErase
}
