import ArgumentParser
import Contracts
import Domain
import FoundationEssentials

/// From when on things are checked: a day, an instant, or an age.
struct CheckSince: Sendable, Equatable {
    private static let day: UInt64 = 86_400_000

    /// The least id that counts.
    let least: UUID
    /// The instant, as it is shown.
    let time: Timestamp

    /// Everything.
    static let zero = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// Reads `2026-01-31`, `2026-01-31T12:00:00Z`, `36h` or `7d`; nil for anything else.
    init?(_ text: String, now: Timestamp = .now()) {
        guard let time = Self.time(text, now), time.microseconds >= 0 else { return nil }
        self.time = time
        // No version is set: the least of all ids of that instant, as the partitions' bounds are.
        least = Self.floor(UInt64(time.microseconds / 1_000))
    }

    private static func time(_ text: String, _ now: Timestamp) -> Timestamp? {
        if let unit = text.last, unit == "h" || unit == "d", let count = Int64(text.dropLast()), count > 0 {
            let (age, overflows) = count.multipliedReportingOverflow(by: unit == "h" ? 3_600_000_000 : 86_400_000_000)
            return overflows || age > now.microseconds ? nil : Timestamp(microseconds: now.microseconds - age)
        }
        // The parser makes March of a 30th of February.
        let day = text.prefix(10)
        guard let midnight = try? Date("\(day)T00:00:00Z", strategy: .iso8601),
            Timestamp(midnight).description.hasPrefix(day)
        else { return nil }
        guard text.count > day.count else { return Timestamp(midnight) }
        return (try? Date(text, strategy: .iso8601)).map { Timestamp($0) }
    }

    /// The least id of a day before another least id, or the least of all.
    static func dayBefore(_ id: UUID) -> UUID {
        let bytes = id.uuid
        let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(0) { $0 << 8 | UInt64($1) }
        return floor(milliseconds > day ? milliseconds - day : 0)
    }

    /// The instant's 48 bits, and nothing behind them.
    private static func floor(_ milliseconds: UInt64) -> UUID {
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: milliseconds >> shift) }
        return UUID(uuid: (byte(40), byte(32), byte(24), byte(16), byte(8), byte(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    }
}

extension CheckSince: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }
}
