import JSON

/// What `POST …/replays` asks for.
struct ReplayRequest: Equatable {
    let span: ReplaySpan
    let isDryRun: Bool

    private static let members: Set<String> = ["from", "until", "dry_run"]

    /// Reads a body; a problem names every fault.
    ///
    /// - Parameters:
    ///   - body: An object.
    ///   - now: Unix milliseconds.
    /// - Throws: `GatewayProblem` with 422.
    init(_ body: JSONView, at now: UInt64) throws {
        var faults = body.members.map(\.key).filter { !Self.members.contains($0) }
            .map { GatewayProblem.Fault.unknownMember($0) }
        func time(_ name: String) -> UInt64? {
            guard let milliseconds = body[name]?.stringValue.flatMap({ TimeRange.milliseconds(of: $0) }) else {
                faults.append(
                    Self.fault(name, "not_a_time", "It must be a time of RFC 3339.", "Debe ser una hora de RFC 3339.")
                )
                return nil
            }
            return milliseconds
        }
        let from = time("from")
        let until = time("until")
        if let from, let until, until <= from {
            faults.append(
                Self.fault("until", "before_from", "It must be later than from.", "Debe ser posterior a from.")
            )
        }
        // A time is rounded up to its millisecond, and now is not.
        if let until, until > now + 1 {
            faults.append(
                Self.fault("until", "in_the_future", "It must not be in the future.", "No debe estar en el futuro.")
            )
        }
        isDryRun = body["dry_run"]?.boolValue ?? false
        if let dryRun = body["dry_run"], dryRun.kind != .bool {
            faults.append(
                Self.fault("dry_run", "not_a_boolean", "It must be true or false.", "Debe ser true o false.")
            )
        }
        guard faults.isEmpty, let from, let until else {
            throw GatewayProblem.invalidContent(faults)
        }
        span = ReplaySpan(from: from, until: until)
    }

    /// A span with more signals than one replay may have.
    static func tooManySignals(limit: Int) -> GatewayProblem {
        let fault = fault(
            "until",
            "too_many_signals",
            "The span has more than \(limit) signals of the automation's type; choose a shorter one.",
            "El intervalo tiene más de \(limit) señales del tipo de la automatización; elija uno más corto."
        )
        return GatewayProblem.invalidContent([fault])
    }

    private static func fault(
        _ name: String,
        _ code: String,
        _ english: String,
        _ spanish: String
    ) -> GatewayProblem.Fault {
        GatewayProblem.Fault(pointer: "/\(name)", code: code, Sentence(english, spanish))
    }
}
