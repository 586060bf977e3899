import APIGatewayCore
import Domain
import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// Every write operation of the API, one after another, against the audit log: a real change leaves exactly one entry that
/// tells who did what and what was before and after, and what changes nothing leaves none.
///
/// A new route does not compile until it has its row in ``walk(_:)``. A row asks for a refusal, a real change, and the same
/// once more, each with ``ask(_:_:_:headers:by:seeing:)``, which compares everything that users may change.
@Suite(
    "Every write operation is audited",
    .serialized,
    .requiresServers,
    .installation("audited", [.gateway: 1, .engine: 1, .auditWriter: 1]),
    .timeLimit(.minutes(5))
)
struct AuditedOperationsTests: SystemTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// A write operation, and in which role it is asked for.
    struct Operation: Sendable, CustomTestStringConvertible {
        var route: Route
        var role: Role

        var testDescription: String { "\(route.name), as \(role.rawValue)" }
    }

    /// Every route that does not just read, as an administrator and, where others may use it, as one of them.
    static let operations = Route.allCases.filter { $0.method != .get }.flatMap { route in
        let allowed = AccessTable.roles(for: route)
        let other = [Role.operator, .author, .viewer, .sender].first { allowed.contains($0) }
        return ([.admin] + [other].compactMap(\.self)).map { Operation(route: route, role: $0) }
    }

    @Test(
        "A real change leaves one entry with actor, before and after; a no-op and a refusal none",
        arguments: operations
    )
    func walk(_ operation: Operation) async throws {
        let person = try await person(operation.role)
        switch operation.route {
        case .createAutomation: try await createAutomation(person)
        case .updateAutomation: try await updateAutomation(person)
        case .deleteAutomation: try await deleteAutomation(person)
        case .restoreAutomation: try await restoreAutomation(person)
        case .activateAutomation: try await activateAutomation(person)
        case .deactivateAutomation: try await deactivateAutomation(person)
        case .pauseAutomation: try await pauseAutomation(person)
        case .resumeAutomation: try await resumeAutomation(person)
        case .executeAutomation: try await executeAutomation(person)
        case .cancelRun: try await cancelRun(person)
        case .resumeRun: try await resumeRun(person)
        case .rerunRun: try await rerunRun(person)
        case .resolveStep: try await resolveStep(person)
        case .approveStep: try await approveStep(person)
        case .rejectStep: try await rejectStep(person)
        case .putAction: try await putAction(person)
        case .deleteAction: try await deleteAction(person)
        case .putSecret: try await putSecret(person)
        case .deleteSecret: try await deleteSecret(person)
        case .createToken: try await createToken(person)
        case .revokeToken: try await revokeToken(person)
        case .createHook: try await createHook(person)
        case .deleteHook: try await deleteHook(person)
        case .rotateHook: try await rotateHook(person)
        case .redriveDeadLetter: try await redriveDeadLetters(person)
        case .discardDeadLetter: try await discardDeadLetters(person)
        case .startReplay: try await startReplay(person)
        case .cancelReplay: try await cancelReplay(person)
        case .startExport: try await startExport(person)
        case .eraseKeptValue: try await eraseKeptValue(person)
        // What a witness adds proves the log; it is no object that users change.
        case .addCosignature: try await addCosignature(person)
        // Accepting a signal is no audited change: its proof is its run, which leaves an entry when it ends.
        case .postSignal: try await postSignal(person)
        case .receiveHook: try await receiveHook()
        // They answer a question that is too long for an address, and store nothing.
        case .validateAutomation: try await validateAutomation(person)
        case .whyAutomation: try await whyAutomation(person)
        case .listSignals, .getSignal, .listRuns, .listRecentRuns, .getRun, .getStepOutput, .listAutomations,
            .getAutomation, .listAutomationVersions, .getAutomationVersion, .diffAutomation, .getAutomationSchema,
            .listActions, .getAction, .listApprovals, .listSecrets, .listTokens, .listHooks, .getHook, .listDeadLetters,
            .getDeadLetter, .listReplays, .getReplay, .listAuditEntries, .proveAuditEntry, .listAuditProofs,
            .getObjectHistory, .getCheckpoint, .getConsistency, .getTile, .getKeptValue, .getExport,
            .getExportedEntries:
            Issue.record("It only reads.")
        }
    }

    // MARK: - Who asks

    /// Somebody with a token of their own.
    struct Person: Sendable {
        var name: String
        var token: String
        var role: Role
        /// How the log names them.
        var actor: JSONValue
    }

    func person(_ role: Role) async throws -> Person {
        let name = Self.unique(role.rawValue)
        let body = #"{"name":"\#(name)","role":"\#(role.rawValue)"}"#
        let made = try await prepare(.POST, "/admin/api/tokens", body)
        let id = try #require(made["token_id"]?.stringValue, "\(made.text)")
        return Person(
            name: name,
            token: try #require(made["token"]?.stringValue),
            role: role,
            actor: ["id": .string(name), "type": role == .admin ? "admin" : "user", "via": .string("token:\(id)")]
        )
    }

    // MARK: - What is there before

    static let automations = "/admin/api/automations"

    /// Has the installation's administrator do what a row begins with.
    @discardableResult
    func prepare(_ method: HTTPMethod, _ path: String, _ json: String? = nil) async throws -> ContractTests.Answer {
        let answer = try ContractTests.Answer(
            try await installation.client().send(
                method,
                path,
                headers: json == nil ? [:] : ["Content-Type": "application/json"],
                body: json.map { Array($0.utf8) }
            )
        )
        try #require((200..<300).contains(answer.status), "\(method) \(path): \(answer.text)")
        return answer
    }

    /// A draft of its own, under a key that nobody else uses.
    func draft(_ word: String, _ steps: String...) async throws -> String {
        let key = Self.unique(word)
        try await prepare(.POST, Self.automations, Self.automation(key, steps))
        return key
    }

    /// An active automation of its own; its signal type is its key.
    func active(_ word: String, _ steps: String...) async throws -> String {
        let key = Self.unique(word)
        try await prepare(.POST, Self.automations, Self.automation(key, steps))
        try await prepare(.POST, "\(Self.automations)/\(key)/activate")
        return key
    }

    /// The body of a creation.
    static func automation(_ key: String, _ steps: [String] = []) -> String {
        let steps = steps.isEmpty ? [ContractTests.transform] : steps
        let definition = #"{"trigger":{"signalType":"\#(key)"},"steps":[\#(steps.joined(separator: ","))]}"#
        return ContractTests.body(key, definition, more: #","description":"For \#(key)""#)
    }
}
