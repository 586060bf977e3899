import Messaging
import Testing

@Suite struct BatchPlanTests {
    /// What became of each delivery when the given ones fail on their data, alone or in company.
    private struct Outcome: Equatable {
        var processed: Set<Int> = []
        var buried: Set<Int> = []
        var attempts = 0
        var acknowledged: [Int] = []
    }

    private func run(_ plan: BatchPlan, culprits: Set<Int>) -> Outcome {
        var plan = plan
        var outcome = Outcome()
        while true {
            switch plan.next {
            case .process(let group):
                outcome.attempts += 1
                guard culprits.isDisjoint(with: group) else {
                    #expect(plan.failed(.data("bad")) == .proceed)
                    continue
                }
                #expect(outcome.processed.isDisjoint(with: group))
                outcome.processed.formUnion(group)
                outcome.acknowledged += plan.succeeded()
            case .bury(let index, _):
                #expect(outcome.buried.insert(index).inserted)
                outcome.acknowledged += plan.succeeded()
            case .finished:
                return outcome
            }
        }
    }

    @Test(arguments: 1...9)
    func everySetOfCulpritsIsFoundAndNobodyElse(count: Int) {
        for bits in 0..<(1 << count) {
            let culprits = Set((0..<count).filter { bits & 1 << $0 != 0 })
            let outcome = run(BatchPlan(redeliveries: Array(repeating: 0, count: count)), culprits: culprits)
            #expect(outcome.buried == culprits)
            #expect(outcome.processed == Set(0..<count).subtracting(culprits))
            #expect(outcome.acknowledged.sorted() == Array(0..<count))
        }
    }

    @Test func oneCulpritAmongManyCostsAFewAttempts() {
        for culprit in [0, 1, 255, 256, 510, 511] {
            let outcome = run(BatchPlan(redeliveries: Array(repeating: 0, count: 512)), culprits: [culprit])
            #expect(outcome.buried == [culprit])
            // One failing group per level, each with a good sibling.
            #expect(outcome.attempts == 2 * 9 + 1)
        }
    }

    @Test func whoWasDeliveredTooOftenSharesNothing() {
        let limit = BatchPlan.redeliveriesAtAll
        var plan = BatchPlan(redeliveries: [0, 3, 1, limit, 2, limit - 1, limit + 4])
        #expect(plan.next == .bury(3, .deliveredTooOften(limit)))
        #expect(plan.succeeded() == [3])
        #expect(plan.next == .bury(6, .deliveredTooOften(limit + 4)))
        #expect(plan.succeeded() == [6])
        #expect(plan.next == .process([0, 2, 4]))
        #expect(plan.succeeded() == [0, 2, 4])
        let alone = [plan.succeeded(), plan.succeeded()]
        #expect(Set(alone) == [[1], [5]])
        #expect(plan.next == .finished)
        #expect(plan.succeeded() == [])
    }

    @Test func whoIsProcessedAloneComesInNoFixedOrder() {
        let firsts = (0..<200).map { _ in BatchPlan(redeliveries: [3, 3, 3, 3]).next }
        #expect(firsts.contains { $0 != firsts[0] })
    }

    @Test func aFailureOfTheInfrastructureCondemnsNobodyAndLetsNoBatchStandInTheWay() {
        var plan = BatchPlan(redeliveries: [0, 0, 0, 0])
        #expect(plan.failed(.infrastructure) == .pause)
        #expect(plan.next == .process([0, 1]))
        #expect(plan.failed(.infrastructure) == .pause)
        #expect(plan.next == .process([0]))
        #expect(plan.failed(.infrastructure) == .pause)
        #expect(plan.next == .process([0]))
        #expect([plan.succeeded(), plan.succeeded(), plan.succeeded()] == [[0], [1], [2, 3]])
        #expect(plan.next == .finished)
    }

    @Test func aBurialThatCannotBeWrittenIsTriedAgain() {
        var plan = BatchPlan(redeliveries: [0])
        #expect(plan.failed(.data("bad")) == .proceed)
        #expect(plan.next == .bury(0, .data("bad")))
        #expect(plan.failed(.data("worse")) == .pause)
        #expect(plan.next == .bury(0, .data("bad")))
    }

    @Test func anEmptyBatchIsFinished() {
        #expect(BatchPlan(redeliveries: []).next == .finished)
    }
}
