import Persistence

/// How migrating is told, one line for each thing.
enum MigrationLines {
    static func line(of event: MigrationEvent) -> String {
        switch event {
        case .accessChanged(let change):
            return "access: \(change)"
        case .schemaCreated(let schema):
            return "\(schema.name): created the schema"
        case .applied(let schema, let version, let name, let took):
            return "\(schema.name): applied \(number(version)) \(name) in \(milliseconds(took)) ms"
        case .unknownVersion(let schema, let version, let name):
            return "\(schema.name): has \(number(version)) \(name), which only a newer release knows"
        case .upToDate(let schema, let version):
            return "\(schema.name): at version \(version)"
        }
    }

    static func lines(of plan: MigrationPlan) -> [String] {
        let lines =
            plan.accessChanges.map { "access: would \($0)" }
            + plan.pending.map { "\($0.schema.name): would apply \(number($0.version)) \($0.name)" }
        let unknown = plan.unknown.map {
            "\($0.schema.name): has \(number($0.version)) \($0.name), which only a newer release knows"
        }
        return (lines.isEmpty ? ["nothing to do"] : lines) + unknown
    }

    private static func number(_ version: Int) -> String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds &* 1000 &+ duration.components.attoseconds / 1_000_000_000_000_000
    }
}
