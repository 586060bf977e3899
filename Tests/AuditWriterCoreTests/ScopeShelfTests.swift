import Domain
import FoundationEssentials
import Testing

@testable import AuditWriterCore

@Suite struct ScopeShelfTests {
    /// Begins an export, and works at it.
    private func begin(_ id: UUID, of tenant: String, on shelf: inout ScopeShelf) {
        var part = shelf.looked(at: id, of: tenant, size: 100)
        part.append([], upTo: 7)
        shelf.advanced(part, id)
    }

    /// How far an export has come, for somebody who only wants to know.
    private func progress(_ id: UUID, of tenant: String, on shelf: ScopeShelf) -> Int64 {
        var copy = shelf
        return copy.looked(at: id, of: tenant, size: 100).next
    }

    @Test func oneTenantThrowsNothingOfOthersAway() {
        var shelf = ScopeShelf()
        let ours = UUIDv7.make()
        begin(ours, of: "acme", on: &shelf)
        let theirs = (0..<2_000).map { _ in UUIDv7.make() }
        for id in theirs { begin(id, of: "greedy", on: &shelf) }
        #expect(progress(ours, of: "acme", on: shelf) == 7)
        let kept = theirs.filter { progress($0, of: "greedy", on: shelf) == 7 }
        #expect(kept == theirs.suffix(20))
    }

    @Test func whatWasLookedAtLongestAgoGoesFirst() {
        var shelf = ScopeShelf(perTenant: 3, limit: 5)
        let ids = (0..<4).map { _ in UUIDv7.make() }
        for id in ids[..<3] { begin(id, of: "acme", on: &shelf) }
        #expect(shelf.looked(at: ids[0], of: "acme", size: 100).next == 7)
        begin(ids[3], of: "acme", on: &shelf)
        #expect(ids.map { progress($0, of: "acme", on: shelf) } == [7, 0, 7, 7])
        // Over all tenants, too, it is what was looked at longest ago.
        let others = (0..<3).map { _ in UUIDv7.make() }
        for (index, id) in others.enumerated() { begin(id, of: "tenant-\(index)", on: &shelf) }
        #expect(ids.map { progress($0, of: "acme", on: shelf) } == [7, 0, 0, 7])
        #expect(others.enumerated().map { progress($1, of: "tenant-\($0)", on: shelf) } == [7, 7, 7])
    }

    @Test func whatHadToGoMeanwhileStaysAway() {
        var shelf = ScopeShelf(perTenant: 1)
        let (first, second) = (UUIDv7.make(), UUIDv7.make())
        var part = shelf.looked(at: first, of: "acme", size: 100)
        begin(second, of: "acme", on: &shelf)
        part.append([], upTo: 50)
        shelf.advanced(part, first)
        #expect(progress(second, of: "acme", on: shelf) == 7)
        #expect(progress(first, of: "acme", on: shelf) == 0)
    }
}
