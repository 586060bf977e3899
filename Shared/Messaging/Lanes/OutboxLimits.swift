/// How much may be on its way to a consumer, and how long before somebody is told.
package struct OutboxLimits: Sendable {
    /// As many items pass at 15,000 a second in the two seconds for which a confirmed message is left alone before its
    /// consumer is asked about it, and in one more for the asking: a system whose consumers keep up is never held back.
    package static let standardWindow: Int64 = 50_000

    /// How many items of one lane and destination may be published and not yet verified; the rest waits in the outbox.
    package var window: Int64
    /// How old the oldest unverified item may be before the log, the metrics' readers and health are told.
    package var alarm: Duration

    package init(window: Int64 = Self.standardWindow, alarm: Duration = .seconds(60)) {
        self.window = window
        self.alarm = alarm
    }
}
