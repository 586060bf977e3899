/// Decides what becomes of the numbers of one lane: each goes into the log once, in order, however it arrives.
///
/// Numbers below `next` are in the log. Those in `early` arrived before their turn and are held outside the log. Pure;
/// whoever runs it keeps a copy from before and goes back to that if the transaction fails.
package struct LaneSequencer: Sendable, Equatable {
    /// What becomes of the numbers of one call.
    package struct Step: Sendable, Equatable {
        /// The numbers that are appended now, in this order.
        package var appended: Range<Int64>
        /// Which of `appended` were held until now, rather than among those received.
        package var released: RangeSet<Int64>
        /// The numbers received that are held from now on, in growing order.
        package var held: [Int64]
        /// How many of the numbers received were known already.
        package var duplicates: Int
    }

    /// The number that the lane's next entry in the log must have.
    package private(set) var next: Int64
    /// The numbers held; none is below `next`.
    package private(set) var early: RangeSet<Int64>

    /// A lane as the tables say; numbers held that are in the log already are not taken for held.
    ///
    /// - Parameters:
    ///   - last: The last number in the log; 0 if there is none.
    ///   - early: The numbers held.
    package init(last: Int64 = 0, early: RangeSet<Int64> = RangeSet()) {
        next = last &+ 1
        self.early = early.subtracting(RangeSet(Int64.min..<next))
    }

    /// Whether a number that is held has its turn now.
    package var isReleasing: Bool { early.contains(next) }

    /// Numbers were received, in any order and any number of times.
    ///
    /// - Parameters:
    ///   - numbers: All from 1 to 2^53.
    ///   - limit: How many held numbers may be appended in this step; with 0 the lane gets no further than what has arrived.
    /// - Returns: What to do. The lane's state is that after it has been done.
    package mutating func received(_ numbers: some Sequence<Int64>, releasing limit: Int = .max) -> Step {
        var fresh: Set<Int64> = []
        var duplicates = 0
        for number in numbers {
            guard number >= next, !early.contains(number), fresh.insert(number).inserted else {
                duplicates += 1
                continue
            }
        }
        let first = next
        let released = advance(&fresh, limit: Int64(max(0, limit)))
        let held = fresh.sorted()
        for number in held {
            early.insert(contentsOf: number..<number + 1)
        }
        return Step(appended: first..<next, released: released, held: held, duplicates: duplicates)
    }

    /// Moves `next` on over what has arrived and what is held, and takes both away; answers which were held.
    private mutating func advance(_ fresh: inout Set<Int64>, limit: Int64) -> RangeSet<Int64> {
        var released = RangeSet<Int64>()
        var rest = limit
        while true {
            if fresh.remove(next) != nil {
                next += 1
            } else if let range = early.ranges.first, range.lowerBound == next, rest > 0 {
                let end = range.lowerBound + min(Int64(range.count), rest)
                rest -= end - next
                released.insert(contentsOf: next..<end)
                early.remove(contentsOf: next..<end)
                next = end
            } else {
                return released
            }
        }
    }
}
