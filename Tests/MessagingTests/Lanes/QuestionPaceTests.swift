import Testing

@testable import Messaging

@Suite("A consumer is asked at once while that helps, and otherwise at a pace")
struct QuestionPaceTests {
    private let start = ContinuousClock.now

    /// After how many milliseconds the next question is due.
    private func due(_ pace: QuestionPace, after instant: ContinuousClock.Instant) -> Int? {
        (0...2_000).first { pace.isDue(at: instant + .milliseconds($0)) }
    }

    @Test("the first question, and those while there is more to ask about, are due at once")
    func atOnce() {
        var pace = QuestionPace()
        #expect(due(pace, after: start) == 0)
        for _ in 0..<3 {
            pace.answered(.goesOn, isHeld: false, at: start)
            #expect(due(pace, after: start) == 0)
        }
    }

    @Test("a lane that is always busy is asked about twice a second, not for each item", arguments: [2, 50])
    func steady(interval: Int) {
        var pace = QuestionPace()
        var questions = 0
        // In each interval something is confirmed, and the consumer holds it.
        for milliseconds in stride(from: 0, to: 10_000, by: interval) {
            let now = start + .milliseconds(milliseconds)
            guard pace.isDue(at: now) else { continue }
            questions += 1
            pace.answered(.progress, isHeld: false, at: now)
        }
        #expect(questions == 20)
    }

    @Test("where messages wait for the answer, the wait is short")
    func held() {
        var pace = QuestionPace()
        pace.answered(.progress, isHeld: true, at: start)
        #expect(due(pace, after: start) == 100)
    }

    @Test("a consumer that does not go on is asked less and less often, until it does or gets copies")
    func backoff() {
        var pace = QuestionPace()
        func waits(_ count: Int) -> [Int?] {
            (0..<count).map { _ in
                pace.answered(.nothing, isHeld: true, at: start)
                return due(pace, after: start)
            }
        }
        #expect(waits(6) == [100, 200, 400, 800, 1_000, 1_000])
        pace.hurry()
        #expect(waits(2) == [100, 200])
        pace.answered(.progress, isHeld: true, at: start)
        #expect(waits(1) == [100])
    }
}
