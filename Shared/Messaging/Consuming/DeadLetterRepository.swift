import Crypto
import Domain
import FoundationEssentials
package import PostgreSQL

/// The dead letters of one service.
package struct DeadLetterRepository: Sendable {
    let schema: String
    let database: PostgresClient

    /// - Parameters:
    ///   - schema: The service's schema.
    ///   - database: Its database.
    package init(schema: String, database: PostgresClient) {
        self.schema = schema
        self.database = database
    }

    /// Records a dead letter; one that is there already stays as it is.
    package func insert(_ letter: DeadLetter, deadline: ContinuousClock.Instant) async throws {
        _ = try await database.execute(insertion(of: letter), deadline: deadline)
    }

    /// The statement that records a dead letter, for a transaction of the caller's.
    package func insertion(of letter: DeadLetter) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO \(schema).dead_letters
                (dead_letter_id, tenant, exchange, routing_key, message_type, message_id, item_id, headers, body, reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT DO NOTHING
            """,
            [
                .uuid(Self.id(of: letter)), .text(letter.tenant.map(Self.storable)),
                .text(Self.storable(letter.exchange)), .text(Self.storable(letter.routingKey)),
                .text(letter.messageType.map(Self.storable)), .text(letter.messageID.map(Self.storable)),
                .uuid(letter.itemID), .text(Self.storable(letter.headers)), .bytes(letter.body),
                .text(Self.storable(letter.reason)),
            ]
        )
    }

    /// A fresh id; for a message that has none of its own one made of its content, so that it is recorded once.
    private static func id(of letter: DeadLetter) -> UUID {
        guard letter.messageID == nil else {
            return UUIDv7.make()
        }
        var hasher = SHA256()
        for text in [letter.exchange, letter.routingKey, letter.headers, letter.itemID?.uuidString ?? ""] {
            hasher.update(data: Array(text.utf8) + [0])
        }
        hasher.update(data: letter.body)
        let words = Array(hasher.finalize()).prefix(16).enumerated().reduce(into: (high: UInt64(0), low: UInt64(0))) {
            if $1.offset < 8 {
                $0.high = $0.high << 8 | UInt64($1.element)
            } else {
                $0.low = $0.low << 8 | UInt64($1.element)
            }
        }
        return UUIDv7.make(milliseconds: 0, high: words.high, low: words.low)
    }

    /// The text without NUL, which Postgres cannot store.
    private static func storable(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
    }
}
