import DequeModule

/// Keeps which deliveries of a channel are still to be settled, and folds acknowledgements.
///
/// Delivery tags count from 1 on each channel. A tag that is not open is never sent: the broker would answer it by
/// closing the channel, and every other delivery would come back.
struct DeliveryLedger {
    /// An acknowledgement to send.
    struct Acknowledgement: Equatable {
        var tag: UInt64
        /// Whether it stands for every open tag up to this one.
        var multiple: Bool
    }

    private var isOpen: Deque<Bool> = []
    private var firstTag: UInt64 = 1
    /// How many deliveries are to be settled.
    private(set) var openCount = 0

    /// Notes a delivery.
    ///
    /// - Returns: Whether the tag is one that may come now; anything else is the peer's mistake.
    mutating func delivered(tag: UInt64) -> Bool {
        if isOpen.isEmpty, tag >= firstTag { firstTag = tag }
        guard tag == firstTag &+ UInt64(isOpen.count) else { return false }
        isOpen.append(true)
        openCount += 1
        return true
    }

    /// Settles deliveries; those not open are skipped.
    ///
    /// What is contiguous from the oldest open one becomes a single acknowledgement of many, the rest one each.
    mutating func acknowledged(_ tags: some Sequence<UInt64>) -> [Acknowledgement] {
        var closed: [UInt64] = []
        for tag in tags where close(tag) { closed.append(tag) }
        let highest = trim()
        let prefix = closed.lazy.filter { $0 < highest }
        var out: [Acknowledgement] = []
        if let last = prefix.max() {
            // Closed tags past `last` but before the first open one were settled by earlier, single commands.
            out.append(Acknowledgement(tag: last, multiple: prefix.prefix(2).count > 1))
        }
        out += closed.lazy.filter { $0 >= highest }.map { Acknowledgement(tag: $0, multiple: false) }
        return out
    }

    /// Settles every open delivery up to one.
    mutating func acknowledged(through tag: UInt64) -> Acknowledgement? {
        guard let end = index(of: tag) else { return nil }
        let closed = (0...end).filter { isOpen[$0] }
        guard let last = closed.last else { return nil }
        for index in closed { isOpen[index] = false }
        openCount -= closed.count
        let lastTag = firstTag + UInt64(last)
        trim()
        return Acknowledgement(tag: lastTag, multiple: closed.count > 1)
    }

    /// Settles one delivery by giving it back or away.
    ///
    /// - Returns: Whether it was open, so that the broker may be told.
    mutating func rejected(tag: UInt64) -> Bool {
        defer { trim() }
        return close(tag)
    }

    private func index(of tag: UInt64) -> Int? {
        guard tag >= firstTag, tag - firstTag < UInt64(isOpen.count) else { return nil }
        return Int(tag - firstTag)
    }

    private mutating func close(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag), isOpen[index] else { return false }
        isOpen[index] = false
        openCount -= 1
        return true
    }

    /// Forgets what is settled from the front.
    ///
    /// - Returns: The lowest tag that is open, or the next to come.
    @discardableResult
    private mutating func trim() -> UInt64 {
        while isOpen.first == false {
            isOpen.removeFirst()
            firstTag += 1
        }
        return firstTag
    }
}
