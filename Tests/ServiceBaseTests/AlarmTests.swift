import TestSupport
import Testing

@testable import ServiceBase

@Suite("An alarm", .timeLimit(.minutes(1)))
struct AlarmTests {
    /// Longer than any test may take.
    private static let forever = Duration.seconds(3_600)

    @Test("wakes whoever sleeps")
    func wakes() async {
        let alarm = Alarm()
        for _ in 1...100 {
            await withDiscardingTaskGroup { group in
                // Sleeps by the time that this returns, or finds the alarm rung.
                group.addImmediateTask { await alarm.sleep(for: Self.forever) }
                alarm.ring()
            }
        }
    }

    @Test("that has rung before lets the next one pass, and only that one")
    func remembers() async {
        let alarm = Alarm()
        alarm.ring()
        alarm.ring()
        await alarm.sleep(for: Self.forever)
        let start = ContinuousClock.now
        await alarm.sleep(for: .milliseconds(50))
        #expect(ContinuousClock.now - start >= .milliseconds(50))
    }

    @Test("ends by itself, again and again")
    func times() async {
        let alarm = Alarm()
        for _ in 1...20 {
            let start = ContinuousClock.now
            await alarm.sleep(for: .milliseconds(2))
            #expect(ContinuousClock.now - start >= .milliseconds(2))
        }
    }

    @Test("lets a task pass that is cancelled, before it sleeps or while it does")
    func cancelled() async {
        let alarm = Alarm()
        for isBefore in [true, false] {
            await withTaskGroup(of: Void.self) { group in
                if isBefore { group.cancelAll() }
                group.addImmediateTask { await alarm.sleep(for: Self.forever) }
                group.cancelAll()
                await group.waitForAll()
            }
        }
    }
}
