/// Which deliveries of a batch are processed together next.
///
/// The plan knows deliveries only by their place in the batch. It starts with whatever may share one transaction as one
/// group; a group that fails on its data is halved until the culprit stands alone, which is then buried. What was
/// delivered too often before never shares its fate with others.
package struct BatchPlan: Sendable, Equatable {
    /// A message delivered again more often than this is processed alone.
    package static let redeliveriesInCompany = 2
    /// A message delivered again this often, or more, is buried unprocessed.
    package static let redeliveriesAtAll = 20

    /// What to do next.
    package enum Step: Sendable, Equatable {
        /// Process these together, then report what became of them.
        case process([Int])
        /// Put this one away, for that reason, then report it.
        case bury(Int, Reason)
        /// Every delivery is settled.
        case finished
    }

    /// Why a message is put away.
    package enum Reason: Sendable, Equatable {
        /// It failed on its own; the text says how.
        case data(String)
        /// It was delivered again so often, each time without an end.
        case deliveredTooOften(Int)
    }

    /// What to do about a failure.
    package enum FailureAction: Sendable, Equatable {
        /// Ask for the next step at once.
        case proceed
        /// Wait until the infrastructure is back; the next step is the same again.
        case pause
    }

    /// What became of a group or a burial that failed.
    package enum Failure: Sendable, Equatable {
        /// The infrastructure failed; the same may succeed later.
        case infrastructure
        /// The data are at fault.
        case data(String)
    }

    /// What is left to do, the next on top.
    private var pending: [Step] = []

    /// A plan for deliveries whose counts of earlier deliveries are given, in the batch's order.
    package init(redeliveries: [Int]) {
        var together: [Int] = []
        var alone: [Step] = []
        var buried: [Step] = []
        for (index, count) in redeliveries.enumerated() {
            if count >= Self.redeliveriesAtAll {
                buried.append(.bury(index, .deliveredTooOften(count)))
            } else if count > Self.redeliveriesInCompany {
                alone.append(.process([index]))
            } else {
                together.append(index)
            }
        }
        // Whoever has failed before comes last: if it ends the process again, the others are done by then.
        // Their order is left to chance: a message that ends the process each time would otherwise keep those behind it
        // from ever being tried.
        pending = alone.shuffled()
        if !together.isEmpty { pending.append(.process(together)) }
        pending += buried.reversed()
    }

    /// What to do next; the same until its end is reported.
    package var next: Step { pending.last ?? .finished }

    /// The present step has succeeded: its deliveries are settled and can be acknowledged.
    ///
    /// - Returns: Their places in the batch.
    package mutating func succeeded() -> [Int] {
        switch pending.popLast() {
        case .process(let group): group
        case .bury(let index, _): [index]
        case .finished, nil: []
        }
    }

    /// The present step has failed.
    package mutating func failed(_ failure: Failure) -> FailureAction {
        switch (next, failure) {
        case (.process(let group), .infrastructure) where group.count > 1:
            // A batch that is too much for its deadline or for the database's memory must not come again as it was.
            pending.removeLast()
            split(group)
            return .pause
        case (_, .infrastructure):
            return .pause
        case (.process(let group), .data(let reason)):
            pending.removeLast()
            halve(group, reason: reason)
            return .proceed
        case (.bury, .data):
            // Nothing can be told from a dead letter that cannot be written; it must not be lost either.
            return .pause
        case (.finished, .data):
            return .proceed
        }
    }

    private mutating func halve(_ group: [Int], reason: String) {
        guard group.count > 1 else {
            pending += group.map { .bury($0, .data(reason)) }
            return
        }
        split(group)
    }

    private mutating func split(_ group: [Int]) {
        let middle = group.count / 2
        pending.append(.process(Array(group[middle...])))
        pending.append(.process(Array(group[..<middle])))
    }
}

extension BatchPlan.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .data(let reason): reason
        case .deliveredTooOften(let count): "delivered again \(count) times without an end; not processed once more"
        }
    }
}
