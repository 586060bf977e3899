import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// Which entries are asked for.
struct EntryFilter: Sendable {
    var objectType: String?
    var objectID: String?
    var actor: String?
    var action: String?
    var traceID: String?
    /// The least id of an entry.
    var from: UUID?
    /// The least id of those that are too late.
    var until: UUID?

    /// Every entry of one object.
    init(objectType: String, objectID: String) {
        self.objectType = objectType
        self.objectID = objectID
    }

    init(_ body: JSONView) {
        objectType = body["object_type"]?.stringValue
        objectID = body["object_id"]?.stringValue
        actor = body["actor"]?.stringValue
        action = body["action"]?.stringValue
        traceID = body["trace_id"]?.stringValue
        from = body["from"]?.stringValue.flatMap(UUID.init(uuidString:))
        until = body["until"]?.stringValue.flatMap(UUID.init(uuidString:))
    }

    /// The conditions, each after an AND, and the values of their parameters.
    ///
    /// What the indexes of actors and actions leave out is named, too, so that they can be used for all the rest.
    ///
    /// - Parameters:
    ///   - first: The number of the first parameter.
    ///   - size: The size of the log that is searched; nil for the log as it is.
    /// - Returns: The conditions, and what their parameters stand for.
    func sql(from first: Int, in size: Int64? = nil) -> (conditions: String, values: [PostgresValue]) {
        var conditions = ""
        var values: [PostgresValue] = []
        func add(_ condition: (String) -> String, _ value: PostgresValue?) {
            guard let value else {
                return
            }
            conditions += " AND " + condition("$\(first + values.count)")
            values.append(value)
        }
        add({ "object_id = \($0)" }, objectID.map { .text($0) })
        add({ "object_type = \($0)" }, objectType.map { .text($0) })
        let isPerson = actor.map { !ServiceNames.all.contains($0) } ?? false
        add({ "actor_id = \($0)" + (isPerson ? " AND actor_type <> 'system'" : "") }, actor.map { .text($0) })
        add({ "action = \($0)" + (action == "run.end" ? "" : " AND action <> 'run.end'") }, action.map { .text($0) })
        add({ "trace_id = \($0)" }, traceID.map { .text($0) })
        add({ "entry_id >= \($0)" }, from.map { .uuid($0) })
        add({ "entry_id < \($0)" }, until.map { .uuid($0) })
        add({ "leaf_index < \($0)" }, size.map { .int8($0) })
        return (conditions, values)
    }

    /// What was asked for, for the audit log.
    ///
    /// - Parameter size: The size of the log under whose checkpoint the entries were proved, if they were.
    /// - Returns: An object with a member for each condition.
    /// - Throws: Where it cannot be written.
    func auditValue(provedIn size: Int64? = nil) throws -> AuditValue {
        var members: [JSONMember] = []
        for (name, value) in [
            ("action", action), ("actor", actor), ("from", from?.lowercased), ("object_id", objectID),
            ("object_type", objectType), ("trace_id", traceID), ("until", until?.lowercased),
        ] {
            if let value { members.append(JSONMember(name, .string(value))) }
        }
        if let size { members.append(JSONMember("size", .number(size))) }
        return try .json(.object(members))
    }
}

/// The names under which services act.
private enum ServiceNames {
    static let all: Set<String> = [
        "api-gateway", "automation-engine", "scheduler", "job-controller", "audit-writer", "batuta",
    ]
}
