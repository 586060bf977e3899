import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// Which runs of a tenant a list shows.
struct RunFilter: Sendable {
    let status: RunStatus?
    let automationKey: String?
    let signal: UUID?
    /// The least id that is shown.
    let from: UUID?
    /// The least id that is not shown any more.
    let until: UUID?

    /// Reads the filter of a request's body.
    ///
    /// - Throws: `Problem` with `invalid_request`, which names the member.
    init(_ body: JSONView) throws {
        status = try body["status"]?.stringValue.map { text in
            guard let status = RunStatus(rawValue: text) else {
                throw Problem(.invalidRequest, "There is no status \"\(text)\".")
            }
            return status
        }
        automationKey = body["automation_key"]?.stringValue
        signal = try Self.id("signal_id", in: body)
        from = try Self.id("from", in: body)
        until = try Self.id("until", in: body)
    }

    private static func id(_ name: String, in body: JSONView) throws -> UUID? {
        try body[name]?.stringValue.map { text in
            guard let id = UUID(uuidString: text) else {
                throw Problem(.invalidRequest, "The \(name) is not a UUID.")
            }
            return id
        }
    }

    /// Whether an index has what is asked for in the order of the list; else it is little, and is sorted.
    var isServedInOrder: Bool {
        signal == nil && status != .running && status != .waiting
    }

    /// The statement of a page, newest first: only the conditions asked for, so that those with an index can use it.
    func listing(of tenant: String, before: UUID?, limit: Int) -> PostgresStatement {
        var parameters: [PostgresValue] = [.text(tenant), .int8(Int64(limit))]
        var conditions = "tenant = $1"
        func add(_ value: PostgresValue, _ condition: (String) -> String) {
            parameters.append(value)
            conditions += " AND " + condition("$\(parameters.count)")
        }
        if let before {
            add(.uuid(before)) { "run_id < \($0)" }
        }
        if let from {
            add(.uuid(from)) { "run_id >= \($0)" }
        }
        if let until {
            add(.uuid(until)) { "run_id < \($0)" }
        }
        if let status {
            // Written out, so that the partial indexes are known to serve it.
            conditions += " AND status = '\(status.rawValue)'"
            conditions += status.isFinal ? "" : " AND finished_at IS NULL"
        }
        if let automationKey {
            add(.text(automationKey)) { "automation_key = \($0)" }
        }
        if let signal {
            add(.uuid(signal)) { parameter in
                """
                run_id = ANY (ARRAY(SELECT d.run_id FROM engine.automation_dedup d
                                    WHERE d.signal_id = \(parameter) AND d.tenant = $1))
                """
            }
        }
        func rows(where more: String = "") -> String {
            """
            SELECT \(StoredRun.columns) FROM engine.automation_runs
            WHERE \(conditions)\(more)
            ORDER BY run_id DESC
            LIMIT $2
            """
        }
        // The index of the queued ones keeps those that are held apart.
        let text =
            status == .queued
            ? """
            SELECT * FROM ((\(rows(where: " AND NOT held"))) UNION ALL (\(rows(where: " AND held")))) AS queued
            ORDER BY run_id DESC
            LIMIT $2
            """ : rows()
        return PostgresStatement(text, parameters, isReadOnly: true)
    }
}
