import Domain
import FoundationEssentials
import Testing

@testable import APIGatewayCore

@Suite("Signals of one status are searched for in bounded portions")
struct SignalSearchTests {
    /// Signals of which the highest number is the newest, as the search sees them.
    private final class Stock {
        let ids: [UUID]
        let lacking: Set<UUID>
        let unconfirmed: Set<UUID>
        private(set) var questions: [Int] = []

        init(_ count: Int, lacking: [Int] = [], unconfirmed: [Int] = []) {
            let ids = (0..<count).map { UUIDv7.make(milliseconds: UInt64($0 + 1), high: 0, low: 0) }
            self.ids = ids
            self.lacking = Set(lacking.map { ids[$0] })
            self.unconfirmed = Set(unconfirmed.map { ids[$0] })
        }

        var search: SignalSearch {
            SignalSearch(
                signals: { before, count in
                    self.ids.reversed().filter { id in before.map { id < $0 } ?? true }.prefix(count).map {
                        SignalRepository.ListedSignal(signalID: $0, id: "", source: "", type: "")
                    }
                },
                lacking: { ids in
                    self.questions.append(ids.count)
                    return self.lacking.intersection(ids)
                },
                unconfirmed: { self.unconfirmed.intersection($0) }
            )
        }

        /// The numbers of the signals of every page.
        func pages(_ status: SignalStatus, limit: Int) async throws -> [[Int]] {
            var pages: [[Int]] = []
            var before: UUID?
            repeat {
                let page = try await search.page(status, before: before, limit: limit, deadline: .now + .seconds(60))
                pages.append(page.items.compactMap { ids.firstIndex(of: $0.signalID) })
                before = page.next
            } while before != nil
            return pages
        }
    }

    @Test("every signal has one status, and pages leave none out")
    func statuses() async throws {
        let stock = Stock(7, lacking: [1, 2, 5, 6], unconfirmed: [0, 2, 6])
        #expect(try await stock.pages(.processed, limit: 2) == [[4, 3], [0]])
        #expect(try await stock.pages(.published, limit: 2) == [[5, 1]])
        #expect(try await stock.pages(.accepted, limit: 1) == [[6], [2]])
        #expect(try await Stock(0).pages(.processed, limit: 2) == [[]])
    }

    @Test("a page that is full ends the list where nothing more is found")
    func exactEnd() async throws {
        #expect(try await Stock(4).pages(.processed, limit: 2) == [[3, 2], [1, 0]])
    }

    @Test("a page looks through a bounded number of signals, and the next one goes on from there")
    func bound() async throws {
        let stock = Stock(SignalSearch.mostExamined + 500, lacking: [0, 499])
        #expect(try await stock.pages(.published, limit: 10) == [[], [499, 0]])
        #expect(stock.questions.allSatisfy { $0 <= 1_000 })
        #expect(stock.questions.count < 20)
    }

    @Test("what has been found when the time is over is answered")
    func deadline() async throws {
        let stock = Stock(100, lacking: [0])
        let page = try await stock.search.page(.published, before: nil, limit: 10, deadline: .now)
        #expect(page.items.isEmpty)
        #expect(page.next == stock.ids[89])
        #expect(stock.questions == [11])
    }
}
