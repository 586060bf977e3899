import JSON

/// What a round has found, as one line of JSON.
package struct FaultRecord: Sendable {
    /// What was tested: the commit, and the versions of the servers.
    package struct Subject: Hashable, Sendable {
        package var commit: String
        package var versions: [String: String]

        package init(commit: String, versions: [String: String]) {
            self.commit = commit
            self.versions = versions
        }
    }

    package let subject: Subject
    package let schedule: FaultSchedule
    /// Signals that clients have sent.
    package var attempted = 0
    /// Signals that were acknowledged.
    package var acknowledged = 0
    /// Acknowledged signals that are stored, processed, and have all their runs.
    package var ok = 0
    /// Acknowledged signals that are not.
    package var lost = 0
    /// Signals, runs, effects and entries that are there more often than once.
    package var duplicated = 0
    /// Signals that were never acknowledged and are there all the same.
    package var recovered = 0
    /// Signals that are there and that nobody has sent.
    package var unexpected = 0
    /// Signals that were never acknowledged: they may be there or not.
    package var unknown = 0
    /// Signals acknowledged per second, from the first fault to the end of the last.
    package var goodput = 0.0
    /// Seconds from the end of the last fault until everything was at rest.
    package var recovery = 0.0
    /// What does not hold; empty in a valid round.
    package var violations: [String] = []

    package init(_ subject: Subject, _ schedule: FaultSchedule) {
        self.subject = subject
        self.schedule = schedule
    }

    /// Whether everything holds.
    package var isValid: Bool { violations.isEmpty }

    /// The record as one line.
    package var line: String {
        var writer = JSONWriter()
        writer.beginObject()
        // A number above 2⁵³ would not survive every reader.
        writer.member("seed", String(schedule.seed))
        writer.member("commit", subject.commit)
        writer.key("versions")
        writer.beginObject()
        for (name, version) in subject.versions.sorted(by: { $0.key < $1.key }) { writer.member(name, version) }
        writer.endObject()
        writer.member("class", schedule.faultClass.rawValue)
        writer.key("schedule")
        writer.beginArray()
        for entry in schedule.entries { write(entry, to: &writer) }
        writer.endArray()
        for (name, count) in counts { writer.member(name, Int64(count)) }
        writer.key("goodput_per_s")
        writer.raw(Self.tenths(goodput).utf8)
        writer.key("recovery_s")
        writer.raw(Self.tenths(recovery).utf8)
        writer.member("valid", isValid)
        if !isValid {
            writer.key("violations")
            writer.beginArray()
            for violation in violations { writer.string(violation) }
            writer.endArray()
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private var counts: [(String, Int)] {
        [
            ("attempted", attempted), ("acknowledged", acknowledged), ("ok", ok), ("lost", lost),
            ("duplicated", duplicated), ("recovered", recovered), ("unexpected", unexpected), ("unknown", unknown),
        ]
    }

    private func write(_ entry: FaultSchedule.Entry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("after", Int64(entry.after))
        writer.member("fault", entry.fault.name)
        if !entry.fault.target.isEmpty { writer.member("target", entry.fault.target) }
        writer.member("lasting_ms", Int64(entry.lasting / .milliseconds(1)))
        writer.endObject()
    }

    /// A number with one decimal.
    package static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
