import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// Why a signal that matches an automation has started no run of it, as it is stored.
struct SignalSkip: Sendable {
    let reason: AdmissionRefusal.Reason
    let key: String
    /// The run that stood in the way.
    let run: UUID?

    /// Reads the columns `reason`, `key` and `run_id`; nil where there is no such row.
    init?(_ row: PostgresRow, at column: Int) throws {
        guard let text = try row.decode(column, as: String?.self) else {
            return nil
        }
        guard let reason = AdmissionRefusal.Reason(rawValue: text) else {
            throw PostgresError(.decoding, "a skip has a reason that this release does not know")
        }
        self.reason = reason
        key = try row.decode(column + 1)
        run = try row.decode(column + 2)
    }

    /// A sentence for people.
    var detail: String { reason.detail(key: key) }

    /// The member of the definition that has decided so.
    var pointer: String {
        switch reason {
        case .deduplicated: "/dedupe"
        case .concurrency: "/concurrency"
        case .rateLimit: "/rate_limit"
        }
    }

    /// Writes the members of a decision into an open object.
    func write(to writer: inout JSONWriter) {
        writer.member("outcome", reason == .deduplicated ? "deduplicated" : "skipped")
        writer.member("reason", detail)
        // Of a deduplicated signal it is the run that does its work; otherwise one that has the place it needed.
        writer.member(reason == .deduplicated ? "run_id" : "blocking_run_id", run?.lowercased)
    }
}

extension SignalDecisions {
    /// Why a signal that was processed has started no run of an automation that it matches; nil for any other event.
    func skip(of event: JSONView, by automation: Automation, _ context: RequestContext) async throws -> SignalSkip? {
        guard let id = event[IncomingSignal.idAttribute]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            return nil
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT reason, key, run_id FROM engine.automation_skips
                WHERE signal_id = $1 AND automation_key = $2 AND tenant = $3
                """,
                [.uuid(id), .text(automation.key), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        return try rows.first.flatMap { try SignalSkip($0, at: 0) }
    }
}
