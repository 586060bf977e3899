import Testing

@testable import Messaging

@Suite("An outbox that grows old is told of once, and so is its recovery")
struct OutboxAlarmTests {
    @Test("the alarm is raised beyond its limit and over at half of it")
    func alarm() {
        var alarm = OutboxAlarm(limit: .seconds(60))
        let backlog = OutboxBacklog(items: 7, oldest: 1_000_000)
        func looked(_ backlog: OutboxBacklog, after seconds: UInt64) -> [OutboxAlarm.Event] {
            alarm.looked(at: [.signals: backlog], now: 1_000_000 + seconds * 1_000)
        }
        #expect(looked(backlog, after: 60) == [])
        #expect(looked(backlog, after: 61) == [.raised(.signals, backlog)])
        #expect(looked(backlog, after: 600) == [])
        let younger = OutboxBacklog(items: 3, oldest: 1_560_000)
        #expect(looked(younger, after: 600) == [], "40 seconds are more than half of the limit")
        #expect(looked(OutboxBacklog(items: 3, oldest: 1_570_000), after: 600) == [.over(.signals)])
        #expect(looked(OutboxBacklog(), after: 601) == [])
    }

    @Test("an age is never negative, and nothing waiting has none")
    func age() {
        #expect(OutboxBacklog(items: 1, oldest: 5_000).age(at: 4_000) == 0)
        #expect(OutboxBacklog(items: 1, oldest: 5_000).age(at: 7_500) == 2.5)
        #expect(OutboxBacklog().age(at: 7_500) == 0)
        let both = OutboxBacklog(items: 1, oldest: 5) + OutboxBacklog(items: 2, oldest: nil)
        #expect(both == OutboxBacklog(items: 3, oldest: 5))
    }
}
