import Domain

/// How far a run has come: which of its steps may begin now.
///
/// The steps of the automation come first. When one of them has failed for good, no other begins; once those under way have
/// ended, the branch that it names has its turn.
struct RunProgress: Sendable {
    private let automation: CompiledAutomation
    /// The branch whose turn it is; nil for the automation itself.
    private let branch: Int?
    /// Whether nothing begins any more, because a step has failed for good.
    private let isStopped: Bool
    private var statuses: [StepStatus]
    private let parents: [Int?]
    private let isDue: [Bool]
    /// How many items of each repeated step are in hand, and whether one has failed.
    private var inHand: [Int: Int] = [:]
    private var stoppedParents: Set<Int> = []
    /// How many attempts are under way.
    private(set) var attempts = 0

    init(_ automation: CompiledAutomation, _ record: RunRecord) {
        self.automation = automation
        let failing = record.failing(in: nil, of: automation)
        if let failing, case .branch(let branch) = automation.steps[failing].onError,
            record.isSettled(nil, of: automation)
        {
            self.branch = branch
            isStopped = record.failing(in: branch, of: automation) != nil
        } else {
            branch = nil
            isStopped = failing != nil
        }
        statuses = record.steps.map(\.status)
        parents = record.steps.map(\.parent)
        isDue = record.steps.map {
            $0.status == .waiting
                && ($0.arrival != nil || ($0.remaining ?? .zero) <= .zero && (!$0.awaits || $0.isLookedAt))
        }
        for (position, step) in record.steps.enumerated() {
            count(position, step)
        }
    }

    /// Whether the step at a position may begin, or have its next attempt.
    func mayBegin(_ position: Int) -> Bool {
        let parent = parents[position]
        let step = automation.steps[parent ?? position]
        guard step.branch == branch else {
            return false
        }
        guard !isStopped else {
            return false
        }
        switch statuses[position] {
        case .waiting:
            return isDue[position]
        case .queued:
            guard step.needs.allSatisfy({ statuses[$0].isFinal }) else {
                return false
            }
            guard let parent, let forEach = step.forEach else {
                return true
            }
            return statuses[parent] == .running && !stoppedParents.contains(parent)
                && inHand[parent, default: 0] < forEach.concurrency
        default:
            return false
        }
    }

    /// A step has begun, and perhaps ended.
    mutating func begun(_ position: Int, _ step: RunRecord.Step) {
        let wasInHand = statuses[position] != .queued
        statuses[position] = step.status
        if wasInHand, let parent = step.parent { inHand[parent, default: 0] -= 1 }
        count(position, step)
    }

    /// Whether what has become of a step keeps others from beginning.
    func isStopped(by step: RunRecord.Step, at position: Int) -> Bool {
        step.status == .failed && automation.steps[step.parent ?? position].onError != .continue
    }

    private mutating func count(_ position: Int, _ step: RunRecord.Step) {
        let definition = automation.steps[step.parent ?? position]
        if step.isUnderWay { attempts += 1 }
        guard let parent = step.parent else {
            return
        }
        switch step.status {
        case .running, .waiting, .unknown: inHand[parent, default: 0] += 1
        case .failed where definition.onError != .continue: stoppedParents.insert(parent)
        default: break
        }
    }
}

extension RunRecord {
    /// The first step of a list that has failed for good; nil where the list goes on.
    ///
    /// - Parameters:
    ///   - branch: The place of the branch; nil for the steps of the automation itself.
    ///   - automation: The run's automation.
    /// - Returns: Its position.
    func failing(in branch: Int?, of automation: CompiledAutomation) -> Int? {
        automation.steps.indices.first { position in
            let step = automation.steps[position]
            return steps[position].status == .failed && step.branch == branch && step.onError != .continue
        }
    }

    /// Whether no step of a list is in hand.
    func isSettled(_ branch: Int?, of automation: CompiledAutomation) -> Bool {
        !steps.indices.contains { position in
            switch steps[position].status {
            case .running, .waiting, .unknown:
                automation.steps[steps[position].parent ?? position].branch == branch
            default: false
            }
        }
    }
}
