import Contracts
import JSON

/// How a check is told.
struct CheckReport: Sendable {
    private(set) var findings: [CheckFinding] = []

    var violated: Int { findings.count(where: \.isViolated) }
    var warnings: Int { findings.count(where: \.isWarning) }

    /// Adds a finding, and answers its lines.
    mutating func add(_ finding: CheckFinding) -> [String] {
        findings.append(finding)
        let mark = finding.isViolated ? "FAIL" : finding.isWarning ? "warn" : "ok  "
        var line = "\(mark)  \(finding.rule.name): \(finding.rule.sentence)"
        if finding.count > 0 { line += " – \(finding.count) do not keep to it" }
        return [line] + finding.examples.map { "          \($0)" }
            + (finding.failure.map { ["          this cannot be told: \($0)"] } ?? [])
    }

    /// The last line.
    var summary: String {
        let held = findings.count - violated - warnings
        return "\(findings.count) rules: \(held) hold, \(violated) broken, \(warnings) with warnings"
    }

    /// Everything as one JSON document.
    func document(since: CheckSince?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("since", since.map { $0.time.description })
        writer.member("broken", Int64(violated))
        writer.member("warnings", Int64(warnings))
        writer.key("rules")
        writer.beginArray()
        for finding in findings {
            writer.beginObject()
            writer.member("name", finding.rule.name)
            writer.member("rule", finding.rule.sentence)
            writer.member("severity", finding.rule.severity.rawValue)
            writer.member("violations", finding.count)
            writer.member("failure", finding.failure)
            writer.key("examples")
            writer.beginArray()
            for example in finding.examples { writer.string(example) }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
