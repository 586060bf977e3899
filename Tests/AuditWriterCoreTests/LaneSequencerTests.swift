import AuditWriterCore
import TestSupport
import Testing

/// The log and the held numbers of one lane, kept by doing what the sequencer says.
private struct Model {
    var sequencer = LaneSequencer()
    var log: [Int64] = []
    var held: Set<Int64> = []

    mutating func receive(_ numbers: [Int64], limit: Int = .max) throws {
        let step = sequencer.received(numbers, releasing: limit)
        for number in step.appended {
            let isReleased = step.released.contains(number)
            try #require(isReleased == held.contains(number))
            try #require(isReleased || numbers.contains(number))
            held.remove(number)
            log.append(number)
        }
        for number in step.held {
            try #require(numbers.contains(number))
            try #require(held.insert(number).inserted)
        }
        let known = step.appended.count - step.released.ranges.reduce(0) { $0 + $1.count } + step.held.count
        try #require(known + step.duplicates == numbers.count)
        try #require(step.held == step.held.sorted())
        try #require(sequencer.next == Int64(log.count) + 1)
        try #require(Set(sequencer.early.ranges.flatMap { Array($0) }) == held)
    }

    /// Makes the sequencer anew from what the tables hold.
    mutating func restart() {
        var early = RangeSet<Int64>()
        for number in held { early.insert(contentsOf: number..<number + 1) }
        sequencer = LaneSequencer(last: log.last ?? 0, early: early)
    }

    mutating func release(limit: Int) throws {
        while sequencer.isReleasing { try receive([], limit: limit) }
    }
}

@Suite struct LaneSequencerTests {
    /// Every sequence of up to six arrivals of the numbers 1 to 4, one by one: each contiguous beginning is in the log.
    @Test func everyOrderOfAFewNumbers() throws {
        func extend(_ arrivals: [Int64]) throws {
            var model = Model()
            for number in arrivals { try model.receive([number]) }
            let complete = Set(arrivals)
            let expected = (1...5).prefix { complete.contains($0) }
            #expect(model.log == Array(expected))
            #expect(model.held == complete.subtracting(expected))
            guard arrivals.count < 6 else {
                return
            }
            for number in Int64(1)...4 { try extend(arrivals + [number]) }
        }
        try extend([])
    }

    /// The same arrivals in one batch lead to the same log, whatever their order.
    @Test func everySplitOfAFewNumbers() throws {
        let arrivals: [Int64] = [3, 1, 3, 2, 5, 1, 4]
        for mask in 0..<(1 << (arrivals.count - 1)) {
            var model = Model()
            var batch: [Int64] = []
            for (index, number) in arrivals.enumerated() {
                batch.append(number)
                if mask >> index & 1 == 1 {
                    try model.receive(batch)
                    batch = []
                }
            }
            try model.receive(batch)
            #expect(model.log == [1, 2, 3, 4, 5])
            #expect(model.held.isEmpty)
        }
    }

    @Test func randomArrivalsWithRestartsEndInOneCopyOfEach() throws {
        var generator = SeededGenerator.random()
        for _ in 0..<300 {
            let count = Int64.random(in: 1...120, using: &generator)
            var arrivals = (Array(1...count) + (0..<Int64.random(in: 0...80, using: &generator)).map { $0 % count + 1 })
            arrivals.shuffle(using: &generator)
            var model = Model()
            while !arrivals.isEmpty {
                let size = Int.random(in: 1...20, using: &generator)
                let limit = Int.random(in: 1...10, using: &generator)
                try model.receive(Array(arrivals.prefix(size)), limit: limit)
                arrivals.removeFirst(min(size, arrivals.count))
                if Bool.random(using: &generator) { try model.release(limit: limit) }
                if Int.random(in: 0..<8, using: &generator) == 0 { model.restart() }
            }
            try model.release(limit: 1)
            #expect(model.log == Array(1...count))
            #expect(model.held.isEmpty)
        }
    }

    @Test func aLimitStopsReleasingAndGoesOnLater() {
        var sequencer = LaneSequencer(last: 10, early: RangeSet(12..<20))
        let step = sequencer.received([11], releasing: 3)
        #expect(step.appended == 11..<15)
        #expect(step.released == RangeSet(12..<15))
        #expect(sequencer.isReleasing)
        #expect(sequencer.received([], releasing: 100).appended == 15..<20)
        #expect(!sequencer.isReleasing)
    }

    @Test func whatIsInTheLogIsNotTakenForHeld() {
        let sequencer = LaneSequencer(last: 5, early: RangeSet(3..<8))
        #expect(sequencer.next == 6)
        #expect(sequencer.early == RangeSet(6..<8))
    }
}
