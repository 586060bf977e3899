import Contracts

/// What one transaction does to the log.
struct AppendPlan: Sendable {
    /// A run of numbers of one lane that is appended without a gap.
    struct Run: Sendable {
        let lane: LaneName
        let numbers: Range<Int64>
        /// Those of `numbers` whose entries are held in the database.
        let released: RangeSet<Int64>
    }

    /// Runs in the order in which they are appended; none is empty.
    private(set) var runs: [Run] = []
    /// The entries that arrived before their turn.
    private(set) var held: [AuditEntry] = []
    private(set) var duplicates = 0
    /// Lanes in which more entries that were held have their turn than one transaction may release.
    private(set) var unfinished: [LaneName] = []

    private var arrived: [LaneName: [Int64: AuditEntry]] = [:]

    /// Whether there is anything to write.
    var isEmpty: Bool { runs.isEmpty && held.isEmpty }

    /// How many entries are appended.
    var appendedCount: Int { runs.reduce(0) { $0 + $1.numbers.count } }

    /// How many of them were held until now.
    var releasedCount: Int { runs.reduce(0) { $0 + $1.released.ranges.reduce(0) { $0 + $1.count } } }

    /// An entry of a run that arrived just now; nil for one that is held in the database.
    func entry(_ number: Int64, of lane: LaneName) -> AuditEntry? { arrived[lane]?[number] }

    /// Plans a transaction.
    ///
    /// - Parameters:
    ///   - messages: What has arrived; lanes are appended in the order of their first message.
    ///   - resuming: Lanes to look at although nothing of them has arrived.
    ///   - lanes: Every lane of these; changed to what they are after the transaction.
    ///   - releaseLimit: How many held entries one transaction may append; nil for none.
    init(
        _ messages: [EntryMessage],
        resuming: [LaneName] = [],
        lanes: inout [LaneName: LaneSequencer],
        releaseLimit: Int?
    ) {
        var numbers: [LaneName: [Int64]] = [:]
        var order: [LaneName] = []
        for lane in resuming where numbers.updateValue([], forKey: lane) == nil {
            order.append(lane)
        }
        for message in messages {
            if numbers[message.lane] == nil { order.append(message.lane) }
            numbers[message.lane, default: []] += message.entries.map(\.seq)
            for entry in message.entries where arrived[message.lane]?[entry.seq] == nil {
                arrived[message.lane, default: [:]][entry.seq] = entry
            }
        }
        var rest = releaseLimit ?? 0
        for lane in order {
            // A lane has a step of its own even when the others have used up the limit, so that each gets on.
            let limit = releaseLimit == nil ? 0 : max(1, rest)
            rest -= add(lane, lanes[lane, default: LaneSequencer()], numbers[lane] ?? [], limit, &lanes)
        }
    }

    /// Adds what one lane does; answers how many held entries that appends.
    private mutating func add(
        _ lane: LaneName,
        _ before: LaneSequencer,
        _ numbers: [Int64],
        _ limit: Int,
        _ lanes: inout [LaneName: LaneSequencer]
    ) -> Int {
        var sequencer = before
        let step = sequencer.received(numbers, releasing: limit)
        lanes[lane] = sequencer
        duplicates += step.duplicates
        held += step.held.compactMap { arrived[lane]?[$0] }
        if !step.appended.isEmpty {
            runs.append(Run(lane: lane, numbers: step.appended, released: step.released))
        }
        if sequencer.isReleasing {
            unfinished.append(lane)
        }
        return step.released.ranges.reduce(0) { $0 + $1.count }
    }
}
