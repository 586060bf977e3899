import AuditExport
import Contracts
import JSON
import MerkleLog

/// How the result of a verification is told.
struct AuditVerifyReport {
    /// `good`, `bad` or `incomplete`.
    let verdict: String

    private let fault: ExportFault?
    private let meaning: String
    private let head: ExportHead?
    private let details: [String]

    /// How many lanes are shown.
    private static let lanesShown = 20

    /// Tells of an export; `isCompared` says whether it was compared with an earlier checkpoint.
    init(_ verdict: ExportVerdict, isCompared: Bool) {
        self.verdict = verdict.name
        fault = verdict.fault
        meaning = verdict.fault?.meaning ?? "nothing was changed, and nothing is missing"
        head = verdict.summary?.head
        var details = verdict.summary.map(Self.details) ?? []
        if !isCompared, verdict.summary != nil {
            details.append("No earlier checkpoint was given: an older state of the log, or another history signed with")
            details.append("the same key, would look the same. Keep this checkpoint for the next time.")
        }
        self.details = details
    }

    /// Tells of entries with proofs.
    init(_ verdict: ProofsVerdict) {
        self.verdict = verdict.name
        fault = verdict.fault
        meaning = verdict.fault?.meaning ?? "every entry is in the log; whether others were left out cannot be told"
        guard case .good(let summary) = verdict else {
            (head, details) = (nil, [])
            return
        }
        head = summary.head
        details = ["entries   \(summary.entries)"]
    }

    /// The result as one line of JSON.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        if let fault {
            writer.member("fault", fault.code.rawValue)
            writer.member("place", fault.place)
        }
        writer.member("verdict", verdict)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The result for people.
    var lines: [String] {
        var lines = ["\(verdict): \(meaning)"]
        if let fault {
            lines = ["\(verdict): fault \(fault.code.rawValue), place \(fault.place)", meaning]
        }
        if let head {
            lines += Self.lines(head)
        }
        return (lines + details).map(Self.printable)
    }

    private static func lines(_ head: ExportHead) -> [String] {
        var lines = [
            "log       \(head.checkpoint.origin)", "size      \(head.checkpoint.size)",
            "root      \(head.checkpoint.root.base64)",
        ]
        lines += head.time.map { ["signed    \(time($0)) by the log"] } ?? []
        lines += head.witnesses.map { "          \(time($0.time)) by the witness \($0.name)" }
        return lines
    }

    private static func details(_ summary: ExportSummary) -> [String] {
        let absent = summary.head.checkpoint.size - summary.entries
        if let tenant = summary.tenant {
            return ["entries   \(summary.entries), those of the tenant \(tenant)"]
        }
        var lines = ["entries   \(summary.entries)\(absent > 0 ? ", \(absent) are absent" : "")"]
        let ended = summary.lanes.count(where: \.hasEnded)
        lines.append("lanes     \(summary.lanes.count - ended) open, \(ended) ended")
        let sorted = summary.lanes.filter { !$0.hasEnded } + summary.lanes.filter(\.hasEnded)
        for lane in sorted.prefix(lanesShown) {
            let end = lane.hasEnded ? ", ended" : ""
            lines.append("          \(lane.producer), epoch \(lane.epoch): up to \(lane.last)\(end)")
        }
        if sorted.count > lanesShown {
            lines.append("          and \(sorted.count - lanesShown) more")
        }
        return lines
    }

    /// A time in seconds since 1970; one beyond the year 9999 is told as its end.
    private static func time(_ seconds: UInt64) -> String {
        let last = UInt64(Timestamp.latest.microseconds / 1_000_000)
        let text = Timestamp(microseconds: Int64(min(seconds, last)) * 1_000_000).description
        return "\(text.prefix(19))Z"
    }

    /// Text that does nothing to a terminal: what does not stand for a visible character is written as its number.
    static func printable(_ text: String) -> String {
        var printable = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                printable += "\\u{\(String(scalar.value, radix: 16))}"
            default: printable.unicodeScalars.append(scalar)
            }
        }
        return printable
    }
}
