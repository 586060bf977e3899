import CloudEvents
import Contracts
import Domain
import JSON

/// What a step of `flow.delay` asks for: how long the run waits.
struct Delay: Sendable {
    static let members: Set<String> = ["for", "until"]
    /// A run waits at most this long.
    static let maximum = Duration.seconds(366 * 86_400)

    /// Microseconds of Unix time.
    let until: Int64

    /// Reads a resolved input.
    ///
    /// - Parameters:
    ///   - input: JSON with either `for`, a duration, or `until`, a time of RFC 3339.
    ///   - now: Microseconds of Unix time.
    /// - Throws: What is wrong with the input.
    init(_ input: [UInt8], at now: Int64) throws(StepError) {
        let root = try? JSONDocument(parsing: input, limits: .wrapped).root
        try Self.faults(of: root, isResolved: true).refuse()
        if let duration = root?["for"]?.stringValue.flatMap(Duration.init(text:)) {
            until = now + Int64(duration / .microseconds(1))
        } else {
            until = root?["until"]?.stringValue.flatMap(Self.microseconds) ?? now
        }
        guard until - now <= Int64(Self.maximum / .microseconds(1)) else {
            throw StepError(code: "invalid_input", detail: "until: A run waits for 366 days at most.")
        }
    }

    /// A time of RFC 3339, to the millisecond, as microseconds of Unix time; nil for another text.
    private static func microseconds(of time: String) -> Int64? {
        CloudEvent.milliseconds(ofTime: time).map { $0 * 1_000 }
    }

    /// What the step answers: when it was to go on.
    var output: [UInt8] {
        var writer = JSONWriter(capacity: 64)
        writer.beginObject()
        writer.member("until", Timestamp.format(until))
        writer.endObject()
        return writer.bytes
    }

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        let (duration, time) = (input?["for"], input?["until"])
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        func fault(_ member: String, _ code: String, _ detail: String) -> [InputFault] {
            [InputFault(member: member, code: code, detail: detail)]
        }
        switch (duration, time) {
        case (nil, nil):
            return fault("for", "required", "flow.delay needs for, a duration, or until, a time.")
        case (.some, .some):
            return fault("until", "invalid_value", "The input has for already; it takes one of them.")
        case (let duration?, nil):
            let read = duration.stringValue.flatMap(Duration.init(text:))
            guard !isOpen(duration), read.map({ $0 > Self.maximum }) ?? true else {
                return []
            }
            return fault(
                "for",
                "invalid_duration",
                "A duration is a whole number and a unit, ms, s, m, h or d, such as \"30s\"; at most \"366d\"."
            )
        case (nil, let time?):
            guard !isOpen(time), time.stringValue.flatMap(microseconds) == nil else {
                return []
            }
            return fault("until", "invalid_value", "until is a time of RFC 3339, such as \"2026-11-21T08:00:00Z\".")
        }
    }
}
