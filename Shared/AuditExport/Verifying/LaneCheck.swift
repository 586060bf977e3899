/// The name of a lane: one run of one producer.
struct LaneName: Sendable, Hashable {
    /// The bytes of the producer's name; texts that look alike are different producers.
    let producer: [UInt8]
    let epoch: Int64

    /// The producer as text.
    var text: String { ExportPlace.text(producer) }

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
///
/// A number that is not there may be that of an absent entry, if there are as many of these as numbers are skipped.
struct LaneCheck {
    /// The first number that is due and not there; found once, the lanes are not followed any more.
    private var gap: ExportFault?

    private var numbers: [LaneName: Int] = [:]
    private var lanes: [Lane] = []

    /// How many entries were absent so far.
    private var absent: Int64 = 0

    private var closings: [LaneClosing] = []

    private struct Lane {
        let name: LaneName
        var last: Int64 = 0
        /// How many entries were absent before the last one; 0 where there is none.
        var absent: Int64 = 0
    }

    /// The number under which a lane is spoken of here.
    mutating func number(of name: LaneName) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = lanes.count
        lanes.append(Lane(name: name))
        return lanes.count - 1
    }

    /// Notes that the next entry is absent.
    mutating func skip() { absent += 1 }

    /// Notes that a lane has ended.
    mutating func close(_ closing: LaneClosing) { closings.append(closing) }

    /// Notes the next entry of a lane.
    mutating func append(_ seq: Int64, lane: Int, at index: UInt64) {
        guard gap == nil else { return }
        let due = lanes[lane].last + 1
        guard seq >= due, seq - due <= absent - lanes[lane].absent else {
            gap = Self.gap(lanes[lane].name, due, "the entry \(index) has the number \(seq) instead")
            return
        }
        lanes[lane].last = seq
        lanes[lane].absent = absent
    }

    /// The first number that is due and not there, those at the ends of lanes included.
    func finish() -> ExportFault? {
        if let gap { return gap }
        for closing in closings {
            let lane = numbers[closing.lane].map { lanes[$0] } ?? Lane(name: closing.lane)
            guard closing.last - lane.last <= absent - lane.absent else {
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
