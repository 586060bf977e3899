import Contracts
import Domain
import FoundationEssentials
import JSON
import Testing

@testable import APIGatewayCore

/// Lists of several services make one list.
@Suite struct DeadLetterPagesTests {
    /// A service with letters, which answers as services do.
    private struct Source {
        var letters: [DeadLetterCursor]

        func page(after cursor: DeadLetterCursor?, limit: Int) throws -> JSONView {
            let sorted = letters.sorted { Self.key($0) > Self.key($1) }
            let rest = sorted.filter { letter in cursor.map { Self.key(letter) < Self.key($0) } ?? true }
            let page = rest.prefix(limit)
            let items = page.map { letter -> JSONValue in
                ["id": .string(letter.id.lowercased), "received_at": .string(letter.receivedAt.description)]
            }
            let next = rest.count > limit ? page.last.map { JSONValue.string($0.text) } : nil
            let answer: JSONValue = ["items": .array(items), "next": next ?? .null]
            return try JSONDocument(parsing: answer.canonicalBytes()).root
        }

        static func key(_ cursor: DeadLetterCursor) -> (Int64, UUID) { (cursor.receivedAt.microseconds, cursor.id) }
    }

    private static func letters(_ times: [Int64]) -> [DeadLetterCursor] {
        times.map { DeadLetterCursor(receivedAt: Timestamp(microseconds: $0 * 1_000_000), id: UUIDv7.make()) }
    }

    @Test(arguments: [1, 2, 3, 7, 50])
    func everyLetterOnceTheNewestFirst(_ limit: Int) throws {
        let sources = [
            Source(letters: Self.letters([5, 5, 4, 1])), Source(letters: Self.letters([9, 5, 5, 3, 3, 3])),
            Source(letters: []),
        ]
        var found: [String] = []
        var cursor: DeadLetterCursor?
        repeat {
            var pages = DeadLetterPages(limit: limit)
            for source in sources { try pages.add(try source.page(after: cursor, limit: limit)) }
            let (body, next) = pages.page
            let answer = try JSONValue(parsing: body)
            #expect(answer["next"]?.stringValue == next)
            found += answer["items"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            cursor = next.flatMap { DeadLetterCursor($0) }
            #expect((cursor == nil) == (next == nil))
        } while cursor != nil && found.count < 100
        let expected = sources.flatMap(\.letters).sorted { Source.key($0) > Source.key($1) }
        #expect(found == expected.map(\.id.lowercased))
    }

    @Test(arguments: [
        "", "_", "1", "1_", "x_00000000-0000-7000-8000-000000000000", "-1_00000000-0000-7000-8000-000000000000",
    ])
    func whatIsNoCursor(_ text: String) {
        #expect(DeadLetterCursor(text) == nil)
    }
}
