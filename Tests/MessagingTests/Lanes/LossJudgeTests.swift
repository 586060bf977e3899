import Testing

@testable import Messaging

/// What is published again, and what is left alone because it waits in its queue.
@Suite("A loss is told from a backlog")
struct LossJudgeTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// A window of messages with one item each, of which these are lacking.
    private func window(_ range: ClosedRange<Int64>, lacking: Set<Int64>) -> [LossJudge.Asked] {
        range.map { LossJudge.Asked(firstSeq: $0, isHeld: !lacking.contains($0)) }
    }

    @Test("what is lacking before something that is held is published again, after a moment")
    func hole() {
        var judge = LossJudge()
        #expect(judge.judge(window(1...9, lacking: [3, 4, 8, 9]), at: at(0)) == [], "it may be under way")
        #expect(judge.judge(window(3...9, lacking: [3, 4, 8, 9]), at: at(1)) == [3, 4], "8 and 9 may come yet")
    }

    @Test("a copy under way is not sent again at every question, but with growing patience")
    func patience() {
        var judge = LossJudge()
        let lacking = window(1...2, lacking: [1])
        let copies = stride(from: 0.0, through: 70, by: 0.5).filter { !judge.judge(lacking, at: at($0)).isEmpty }
        #expect(copies == [1, 2, 4, 8, 16, 32, 64])
    }

    @Test("while nothing later is held, the last message alone is published again, ever more seldom")
    func backlog() {
        var judge = LossJudge()
        var copies = 0
        let all = window(1...1_000, lacking: Set(1...1_000))
        for second in 0...600 {
            let again = judge.judge(all, tail: .init(firstSeq: 20_000, isHeld: false), at: at(Double(second)))
            #expect(again == [] || again == [20_000])
            copies += again.count
        }
        #expect((5...16).contains(copies))
    }

    @Test("a backlog that moves is left alone, however long it takes")
    func movingBacklog() {
        var judge = LossJudge()
        for step in 0..<1_000 {
            let first = Int64(step) + 1
            let all = window(first...first + 99, lacking: Set(first...first + 99))
            #expect(judge.judge(all, tail: .init(firstSeq: 5_000, isHeld: false), at: at(Double(step) * 0.9)) == [])
        }
    }

    @Test("once the last message has arrived, everything lacking before it is published again without another wait")
    func everythingLost() {
        var judge = LossJudge()
        let first = window(1...100, lacking: Set(1...100))
        #expect(judge.judge(first, tail: .init(firstSeq: 300, isHeld: false), at: at(0)) == [])
        #expect(judge.judge(first, tail: .init(firstSeq: 300, isHeld: false), at: at(1)) == [300])
        #expect(judge.judge(first, tail: .init(firstSeq: 300, isHeld: true), at: at(2)) == Array(1...100))
        #expect(judge.judge(window(101...200, lacking: Set(101...200)), at: at(2.1)) == Array(101...200))
        #expect(judge.judge(window(201...300, lacking: Set(201...299)), at: at(2.2)) == Array(201...299))
        #expect(judge.judge(window(201...301, lacking: [250, 301]), at: at(2.3)) == [], "copies are under way")
    }

    @Test("a queue that loses things and a consumer that is slow: everything arrives, and copies stay few")
    func simulation() {
        for losses in [[], [30], [0, 250], [100, 101, 600]] as [Set<Int>] {
            var judge = LossJudge()
            var queue = (1...400).map(Int64.init)
            var held: Set<Int64> = []
            var most = queue.count
            var step = 0
            while held.count < 400, step < 10_000 {
                if losses.contains(step) { queue.removeAll() }
                // The consumer is away at first, and takes two messages at a time then.
                if step > 80 {
                    held.formUnion(queue.prefix(2))
                    queue = Array(queue.dropFirst(2))
                }
                let verified = (1...401).first { !held.contains($0) } ?? 401
                let asked = (verified...max(verified, min(400, verified + 49)))
                    .map { LossJudge.Asked(firstSeq: $0, isHeld: held.contains($0)) }
                let tail = LossJudge.Asked(firstSeq: 400, isHeld: held.contains(400))
                let again = judge.judge(asked, tail: verified + 49 < 400 ? tail : nil, at: at(Double(step) * 0.25))
                queue.append(contentsOf: again)
                most = max(most, queue.count)
                step += 1
            }
            #expect(held.count == 400, "losses at \(losses)")
            #expect(most <= 400 + 50 + 12, "losses at \(losses)")
        }
    }
}
