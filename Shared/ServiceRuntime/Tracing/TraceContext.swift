package import Logging

/// The place of a piece of work in a distributed trace, as W3C Trace Context has it.
///
/// A header that breaks the rules starts a new trace; it never fails a request.
package struct TraceContext: Sendable, Hashable {
    /// The context of the current task; log lines take `trace_id` and `span_id` from it.
    @TaskLocal package static var current: TraceContext?

    /// The upper half of the trace's id; not both halves are zero.
    package let traceIDHigh: UInt64
    /// The lower half of the trace's id.
    package let traceIDLow: UInt64
    /// The id of the span, never zero.
    package let spanID: UInt64
    /// The flags; of them `sampled` (1) and `random` (2) are known.
    package let flags: UInt8
    /// The vendors' state, unchanged, or `nil`.
    package let state: String?

    init(traceIDHigh: UInt64, traceIDLow: UInt64, spanID: UInt64, flags: UInt8, state: String?) {
        self.traceIDHigh = traceIDHigh
        self.traceIDLow = traceIDLow
        self.spanID = spanID
        self.flags = flags
        self.state = state
    }

    /// Reads the headers of a request or a message; fails where `traceparent` breaks the rules.
    ///
    /// - Parameters:
    ///   - traceparent: The header, as it came.
    ///   - tracestate: The header, several joined by commas; it is dropped where it breaks the rules.
    package init?(traceparent: String, tracestate: String? = nil) {
        guard let parent = TraceParent(traceparent) else { return nil }
        self.init(
            traceIDHigh: parent.traceIDHigh,
            traceIDLow: parent.traceIDLow,
            spanID: parent.spanID,
            flags: parent.flags,
            state: tracestate.flatMap(TraceState.checked)
        )
    }

    /// A new trace.
    ///
    /// - Parameters:
    ///   - generator: Where the ids come from.
    ///   - isSampled: Whether the trace is recorded.
    /// - Returns: The trace's first span.
    package static func random(
        using generator: inout some RandomNumberGenerator,
        isSampled: Bool = true
    ) -> TraceContext {
        // A zero would be an invalid id; the upper half stays free to be zero.
        TraceContext(
            traceIDHigh: generator.next(),
            traceIDLow: UInt64.random(in: 1 ... .max, using: &generator),
            spanID: UInt64.random(in: 1 ... .max, using: &generator),
            flags: isSampled ? 3 : 2,
            state: nil
        )
    }

    /// A span below this one, in the same trace.
    package func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
        TraceContext(
            traceIDHigh: traceIDHigh,
            traceIDLow: traceIDLow,
            spanID: UInt64.random(in: 1 ... .max, using: &generator),
            flags: flags & 3,
            state: state
        )
    }

    /// A span below the one that the headers name, or a new trace where they name none.
    package static func continuing(
        traceparent: String?,
        tracestate: String? = nil,
        using generator: inout some RandomNumberGenerator
    ) -> TraceContext {
        guard let traceparent, let parent = TraceContext(traceparent: traceparent, tracestate: tracestate) else {
            return random(using: &generator)
        }
        return parent.child(using: &generator)
    }

    /// Whether the trace is recorded.
    package var isSampled: Bool { flags & 1 == 1 }
    /// The trace's id: 32 hexadecimal digits.
    package var traceID: String { Hexadecimal.text(traceIDHigh) + Hexadecimal.text(traceIDLow) }
    /// The span's id: 16 hexadecimal digits.
    package var spanIDText: String { Hexadecimal.text(spanID) }
    /// The header, in version 00.
    package var traceparent: String {
        "00-\(traceID)-\(spanIDText)-0\(flags & 3)"
    }

    /// Adds the current task's `trace_id` and `span_id` to log lines.
    package static let metadataProvider = Logger.MetadataProvider {
        guard let current else { return [:] }
        return ["trace_id": .string(current.traceID), "span_id": .string(current.spanIDText)]
    }
}
