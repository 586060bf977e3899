import DequeModule

/// Keeps what was published on a channel until the broker has settled it.
///
/// Publishing tags count from 1 on each channel, and the broker settles them one by one or all up to one, so the
/// open ones are a contiguous window: a deque whose first slot has the tag `firstTag`.
struct ConfirmTracker<Payload> {
    /// What identifies a message that the broker returns.
    struct Identity: Equatable {
        var messageID: String?
        var exchange: String
        var routingKey: String
    }

    /// What became of one message.
    struct Resolution {
        var payload: Payload
        var outcome: PublishOutcome
    }

    /// What a broken connection leaves behind.
    struct Remainder {
        /// Returned by the broker already, so settled, although their confirms are missing.
        var resolved: [Resolution]
        /// Unknown to have arrived, in the order of their publishing.
        var unresolved: [Payload]
    }

    private struct Slot {
        var payload: Payload
        var identity: Identity?
        var publishedAt: ContinuousClock.Instant
        var returned: PublishOutcome?
        var isSettled = false
    }

    private var slots: Deque<Slot> = []
    private(set) var firstTag: UInt64 = 1
    /// How many slots are not settled.
    private(set) var count = 0
    /// Where the search for a returned message starts: the broker returns in the order of publishing.
    private var returnCursor: UInt64 = 1

    var isEmpty: Bool { count == 0 }

    /// The time of publishing of the oldest message that is not settled.
    var oldestPublishedAt: ContinuousClock.Instant? { slots.first?.publishedAt }

    /// The payloads that are not settled, in the order of publishing.
    var outstanding: [Payload] { slots.lazy.filter { !$0.isSettled }.map(\.payload) }

    /// Opens a slot.
    ///
    /// - Parameters:
    ///   - payload: What the resolution gives back.
    ///   - identity: What a return is matched by; `nil` for a message that is not mandatory.
    ///   - now: The time of publishing.
    /// - Returns: The publishing tag that the broker will settle it by.
    @discardableResult
    mutating func published(_ payload: Payload, identity: Identity?, at now: ContinuousClock.Instant) -> UInt64 {
        slots.append(Slot(payload: payload, identity: identity, publishedAt: now))
        count += 1
        return firstTag + UInt64(slots.count) - 1
    }

    /// Notes that the broker returned a message; its confirm follows.
    ///
    /// - Returns: Whether an open slot matched.
    @discardableResult
    mutating func returned(_ identity: Identity, code: Int, text: String) -> Bool {
        let start = returnCursor > firstTag ? Int(returnCursor - firstTag) : 0
        let order = [start..<slots.count, 0..<min(start, slots.count)]
        for index in order.lazy.joined() where slots[index].identity == identity {
            guard slots[index].returned == nil, !slots[index].isSettled else { continue }
            slots[index].returned = .returned(code: code, text: text)
            returnCursor = firstTag + UInt64(index) + 1
            return true
        }
        return false
    }

    /// Settles one message or all up to one; a tag that is not open is ignored.
    mutating func acknowledged(tag: UInt64, multiple: Bool) -> [Resolution] {
        settle(tag: tag, multiple: multiple).map { slot in
            Resolution(payload: slot.payload, outcome: slot.returned ?? .confirmed)
        }
    }

    /// Closes the slots of messages that the broker refused, and gives them back.
    mutating func nacked(tag: UInt64, multiple: Bool) -> [Payload] {
        settle(tag: tag, multiple: multiple).map(\.payload)
    }

    /// Empties the tracker for a new channel.
    mutating func connectionLost() -> Remainder {
        var remainder = Remainder(resolved: [], unresolved: [])
        for slot in slots where !slot.isSettled {
            if let outcome = slot.returned {
                remainder.resolved.append(Resolution(payload: slot.payload, outcome: outcome))
            } else {
                remainder.unresolved.append(slot.payload)
            }
        }
        self = Self()
        return remainder
    }

    /// Restarts the clock of everything outstanding, after a time in which the broker could confirm nothing.
    mutating func resumed(at now: ContinuousClock.Instant) {
        for index in slots.indices { slots[index].publishedAt = now }
    }

    private mutating func settle(tag: UInt64, multiple: Bool) -> [Slot] {
        // RabbitMQ writes "everything so far" as tag 0 with `multiple`.
        let last = multiple && tag == 0 ? firstTag &+ UInt64(slots.count) &- 1 : tag
        guard last >= firstTag, last - firstTag < UInt64(slots.count) else { return [] }
        let index = Int(last - firstTag)
        var settled: [Slot] = []
        if multiple {
            for _ in 0...index {
                guard let slot = slots.popFirst() else { break }
                firstTag += 1
                if !slot.isSettled { settled.append(slot) }
            }
        } else if !slots[index].isSettled {
            slots[index].isSettled = true
            settled.append(slots[index])
        }
        count -= settled.count
        while let first = slots.first, first.isSettled {
            slots.removeFirst()
            firstTag += 1
        }
        return settled
    }
}
