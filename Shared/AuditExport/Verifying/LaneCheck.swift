/// The name of a lane: one run of one producer.
struct LaneName: Sendable, Hashable {
    /// The bytes of the producer's name; texts that look alike are different producers.
    let producer: [UInt8]
    let epoch: Int64

    /// The producer as text.
    var text: String { String(decoding: producer, as: UTF8.self) }

    init(producer: [UInt8], epoch: Int64) {
        self.producer = producer
        self.epoch = epoch
    }

    /// Reads `<producer>/<epoch>`, as the entry that a lane has ended names it; nil for anything else.
    init?(_ name: [UInt8]) {
        guard let slash = name.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return nil }
        let digits = String(decoding: name[(slash + 1)...], as: UTF8.self)
        guard let epoch = Int64(digits), (1...EntryFacts.largestNumber).contains(epoch), String(epoch) == digits else {
            return nil
        }
        self.init(producer: Array(name[..<slash]), epoch: epoch)
    }
}

/// That a lane has ended with a number.
struct LaneClosing: Sendable {
    let lane: LaneName
    let last: Int64
}

/// Follows the numbers of every lane through the entries, by index.
struct LaneCheck {
    /// The first number that is due and not there; found once, the lanes are not followed any more.
    private(set) var gap: ExportFault?

    private var numbers: [LaneName: Int] = [:]
    private var lanes: [Lane] = []
    private var lastAbsent: UInt64?
    private var closings: [LaneClosing] = []

    private struct Lane {
        let name: LaneName
        var last: Int64 = 0
        var index: UInt64?
    }

    /// The number under which a lane is spoken of here.
    mutating func number(of name: LaneName) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = lanes.count
        lanes.append(Lane(name: name))
        return lanes.count - 1
    }

    /// Notes that the next entry is absent.
    mutating func skip(_ index: UInt64) { lastAbsent = index }

    /// Notes that a lane has ended.
    mutating func close(_ closing: LaneClosing) { closings.append(closing) }

    /// Notes the next entry of a lane.
    mutating func append(_ number: Int64, lane: Int, at index: UInt64) {
        guard gap == nil else { return }
        let due = lanes[lane].last + 1
        guard number == due || (number > due && isAbsentSince(lanes[lane].index)) else {
            gap = Self.gap(lanes[lane].name, due, "the entry \(index) has the number \(number) instead")
            return
        }
        lanes[lane].last = number
        lanes[lane].index = index
    }

    /// Whether an entry is absent behind an index, or anywhere so far.
    private func isAbsentSince(_ index: UInt64?) -> Bool {
        guard let lastAbsent else { return false }
        return index.map { lastAbsent > $0 } ?? true
    }

    /// The first number that is due and not there, those at the ends of lanes included.
    func finish() -> ExportFault? {
        if let gap { return gap }
        for closing in closings {
            let lane = numbers[closing.lane].map { lanes[$0] } ?? Lane(name: closing.lane)
            guard lane.last >= closing.last || isAbsentSince(lane.index) else {
                return Self.gap(lane.name, lane.last + 1, "the lane has ended with the number \(closing.last)")
            }
        }
        return nil
    }

    private static func gap(_ lane: LaneName, _ due: Int64, _ reason: String) -> ExportFault {
        let text = "\(lane.text)/\(lane.epoch)"
        return ExportFault(.gap, at: "\(text)/\(due)", "The lane \(text) lacks its entry number \(due): \(reason).")
    }

    /// Every lane with where it stands, by producer and epoch.
    var summary: [ExportSummary.Lane] {
        let ended = Set(closings.map(\.lane))
        return lanes.sorted { left, right in
            guard left.name.producer == right.name.producer else {
                return left.name.producer.lexicographicallyPrecedes(right.name.producer)
            }
            return left.name.epoch < right.name.epoch
        }.map { lane in
            ExportSummary.Lane(
                producer: lane.name.text,
                epoch: lane.name.epoch,
                last: lane.last,
                hasEnded: ended.contains(lane.name)
            )
        }
    }
}
