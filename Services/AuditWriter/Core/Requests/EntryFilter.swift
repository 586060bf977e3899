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

    /// Conditions, each after an AND.
    struct Conditions {
        /// Those that an index serves, so that as many entries are read as are found.
        var served = ""
        /// The values of their parameters.
        var servedValues: [PostgresValue] = []
        /// Those that entries have to be read for.
        var others = ""
        /// The values of their parameters, which follow on the others.
        var otherValues: [PostgresValue] = []
    }

    /// The conditions in the order of their parameters.
    ///
    /// What the indexes of actors and actions leave out is named, too, so that they can be used for all the rest. Of object,
    /// actor and action only one can be served, the first that an index has.
    ///
    /// - Parameters:
    ///   - first: The number of the first parameter.
    ///   - size: The size of the log that is searched; nil for the log as it is.
    ///   - isOfOneTenant: Whether the entries are those of one tenant, as the indexes are.
    /// - Returns: The conditions, and what their parameters stand for.
    func conditions(from first: Int, in size: Int64? = nil, ofOneTenant isOfOneTenant: Bool = true) -> Conditions {
        let isPerson = actor.map { !ServiceNames.all.contains($0) } ?? false
        let isRare = action.map { $0 != "run.end" } ?? false
        let ofObject = objectID.map { Term("object_id = %", .text($0)) }
        let ofType = objectType.map { Term("object_type = %", .text($0)) }
        let ofActor = actor.map { Term("actor_id = %" + (isPerson ? " AND actor_type <> 'system'" : ""), .text($0)) }
        let ofAction = action.map { Term("action = %" + (isRare ? " AND action <> 'run.end'" : ""), .text($0)) }
        let ofTrace = traceID.map { Term("trace_id = %", .text($0)) }
        let span = [
            from.map { Term("entry_id >= %", .uuid($0)) }, until.map { Term("entry_id < %", .uuid($0)) },
            size.map { Term("leaf_index < %", .int8($0)) },
        ]
        let served: [Term?]
        let others: [Term?]
        if ofTrace != nil {
            // Entries of one trace are few.
            (served, others) = ([ofTrace, ofObject, ofType, ofActor, ofAction], [])
        } else if !isOfOneTenant {
            (served, others) = ([], [ofObject, ofType, ofActor, ofAction])
        } else if ofObject != nil {
            (served, others) = ([ofObject], [ofType, ofActor, ofAction])
        } else if isPerson {
            (served, others) = ([ofActor], [ofType, ofAction])
        } else if isRare {
            (served, others) = ([ofAction], [ofType, ofActor])
        } else {
            (served, others) = ([], [ofType, ofActor, ofAction])
        }
        var conditions = Conditions()
        for term in (served + span).compactMap(\.self) {
            conditions.served += term.sql(first + conditions.servedValues.count)
            conditions.servedValues.append(term.value)
        }
        for term in others.compactMap(\.self) {
            conditions.others += term.sql(first + conditions.servedValues.count + conditions.otherValues.count)
            conditions.otherValues.append(term.value)
        }
        return conditions
    }

    /// A condition with one parameter, for which a percent sign stands.
    private struct Term {
        private let text: String
        let value: PostgresValue

        init(_ text: String, _ value: PostgresValue) {
            (self.text, self.value) = (text, value)
        }

        func sql(_ number: Int) -> String { " AND " + text.replacing("%", with: "$\(number)") }
    }

    /// What was asked for, for the audit log.
    ///
    /// - Parameters:
    ///   - tenant: Whose entries, where they are not those of the caller's tenant.
    ///   - size: The size of the log under whose checkpoint the entries were proved, if they were.
    /// - Returns: An object with a member for each condition.
    /// - Throws: Where it cannot be written.
    func auditValue(of tenant: String?, provedIn size: Int64? = nil) throws -> AuditValue {
        var members: [JSONMember] = []
        for (name, value) in [
            ("action", action), ("actor", actor), ("from", from?.lowercased), ("object_id", objectID),
            ("object_type", objectType), ("tenant", tenant), ("trace_id", traceID), ("until", until?.lowercased),
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
