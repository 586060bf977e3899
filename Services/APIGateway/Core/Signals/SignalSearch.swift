import Domain
import FoundationEssentials

/// Finds a tenant's signals of one status, which stands in no row: the engine knows what is processed.
///
/// It looks through the signals, newest first, in portions, and asks the engine once for each portion. One page looks
/// through a bounded number, so a page may have fewer items than were asked for and still not be the last.
struct SignalSearch {
    typealias Signal = SignalRepository.ListedSignal

    /// How many signals one page looks through at most.
    static let mostExamined = 10_000
    private static let largestPortion = 1_000

    /// Reads some signals before a given one, newest first.
    let signals: (_ before: UUID?, _ count: Int) async throws -> [Signal]
    /// Which of some signals the engine has neither processed nor put away.
    let lacking: ([UUID]) async throws -> Set<UUID>
    /// Which of some signals the broker has not confirmed.
    let unconfirmed: ([UUID]) async throws -> Set<UUID>

    /// Finds a page.
    ///
    /// - Parameters:
    ///   - status: What is searched for.
    ///   - before: Where the page before ended.
    ///   - limit: How many items the page has at most.
    ///   - deadline: When no further portion is begun.
    /// - Returns: The page, and the signal after which the next one begins, where there may be one.
    /// - Throws: What the closures throw.
    func page(
        _ status: SignalStatus,
        before: UUID?,
        limit: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> (items: [Signal], next: UUID?) {
        var found: [Signal] = []
        var cursor = before
        var examined = 0
        var count = limit + 1
        while true {
            count = min(count, Self.largestPortion, Self.mostExamined - examined)
            let portion = try await signals(cursor, count)
            found += try await matching(status, portion)
            if found.count > limit {
                return (Array(found.prefix(limit)), found[limit - 1].signalID)
            }
            guard portion.count == count else {
                return (found, nil)
            }
            cursor = portion.last?.signalID
            examined += count
            guard examined < Self.mostExamined, ContinuousClock.now < deadline else {
                return (found, cursor)
            }
            count *= 4
        }
    }

    private func matching(_ status: SignalStatus, _ portion: [Signal]) async throws -> [Signal] {
        guard !portion.isEmpty else {
            return []
        }
        let lacking = try await lacking(portion.map(\.signalID))
        let isSearchedFor: (UUID) -> Bool
        switch status {
        case .processed:
            isSearchedFor = { !lacking.contains($0) }
        case .accepted, .published:
            let unconfirmed = lacking.isEmpty ? [] : try await unconfirmed(lacking.sorted())
            isSearchedFor = { lacking.contains($0) && unconfirmed.contains($0) == (status == .accepted) }
        }
        return portion.filter { isSearchedFor($0.signalID) }
    }
}
