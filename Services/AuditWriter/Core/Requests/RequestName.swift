import Contracts

/// The requests that this service answers.
enum RequestName {
    static let lanesPosition = RequestType.auditLanesPosition
    static let commandsLacking = RequestType.commandsLacking(service: "audit")
    static let entriesList = "audit.entries.list"
}
