import FoundationEssentials
import Testing

@testable import PostgreSQL

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.skipped))
struct ServerTypeTests {
    @Test func everyTypeGoesThereAndBack() async throws {
        let id = UUID()
        let time = PostgresTimestamp(microsecondsSinceEpoch: 1_234_567_890_123_456)
        try await TestDatabase.withClient { client in
            let rows = try await client.execute(
                PostgresStatement(
                    """
                    SELECT $1 AS b, $2 AS i2, $3 AS i4, $4 AS i8, $5 AS d, $6 AS t, $7 AS y, $8 AS u, $9 AS at,
                           $10::text AS n, $6::varchar, '{"a": 1}'::jsonb AS j, $2::int2 + 1, 'x'::"char",
                           extract(epoch FROM $9) = 1234567890.123456 AS same
                    """,
                    [
                        .bool(true), .int2(-2), .int4(-4), .int8(.min), .double(0.1), .text("h\u{E9}"),
                        .bytes([0, 1, 255]), .uuid(id), .timestamp(time), .text(nil),
                    ]
                )
            )
            let row = try #require(rows.first)
            #expect(rows.count == 1 && rows.affectedRows == 1)
            #expect(try row.decode("b", as: Bool.self))
            #expect(try row.decode("i2", as: Int.self) == -2)
            #expect(try row.decode("i4", as: Int32.self) == -4)
            #expect(try row.decode("i8", as: Int64.self) == .min)
            #expect(try row.decode("d", as: Double.self) == 0.1)
            #expect(try row.decode("t", as: String.self) == "h\u{E9}")
            #expect(try row.decode("t", as: [UInt8].self) == Array("h\u{E9}".utf8))
            #expect(try row.decode("y", as: [UInt8].self) == [0, 1, 255])
            #expect(try row.decode("u", as: UUID.self) == id)
            #expect(try row.decode("at", as: PostgresTimestamp.self) == time)
            #expect(abs(try row.decode("at", as: Date.self).timeIntervalSince(time.date)) < 0.000_001)
            #expect(try row.decode("n", as: String?.self) == nil)
            #expect(try row.decode(10, as: String.self) == "h\u{E9}")
            #expect(try row.decode("j", as: String.self) == #"{"a": 1}"#)
            #expect(try row.decode(12, as: Int.self) == -1)
            #expect(try row.decode(13, as: String.self) == "x")
            #expect(try row.decode("same", as: Bool.self))
            #expect(throws: PostgresError.self) { try row.decode("n", as: String.self) }
            #expect(throws: PostgresError.self) { try row.decode("none", as: String.self) }
            #expect(throws: PostgresError.self) { try row.decode(99, as: String.self) }
            #expect(throws: PostgresError.self) { try row.decode("u", as: String.self) }
        }
    }

    @Test func arraysGoThereAndBack() async throws {
        let ids: [UUID?] = [UUID(), nil]
        let times: [PostgresTimestamp?] = [nil, PostgresTimestamp(microsecondsSinceEpoch: -1)]
        try await TestDatabase.withClient { client in
            let rows = try await client.execute(
                PostgresStatement(
                    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
                    [
                        .int8Array([1, nil, .max]), .int4Array([Int32]()), .textArray(["a", nil, ""]),
                        .textBytesArray([Array("q,\"{}".utf8)]), .bytesArray([[], [0], nil]), .uuidArray(ids),
                        .boolArray([true, nil, false]), .timestampArray(times), .doubleArray([0.5, nil]),
                        .int2Array([-1]),
                    ]
                )
            )
            let row = try #require(rows.first)
            #expect(try row.decode(0, as: [Int64?].self) == [1, nil, .max])
            #expect(try row.decode(1, as: [Int32].self) == [])
            #expect(try row.decode(2, as: [String?].self) == ["a", nil, ""])
            #expect(try row.decode(3, as: [String].self) == ["q,\"{}"])
            #expect(try row.decode(4, as: [[UInt8]?].self) == [[], [0], nil])
            #expect(try row.decode(5, as: [UUID?].self) == ids)
            #expect(try row.decode(6, as: [Bool?].self) == [true, nil, false])
            #expect(try row.decode(7, as: [PostgresTimestamp?].self) == times)
            #expect(try row.decode(8, as: [Double?].self) == [0.5, nil])
            #expect(try row.decode(9, as: [Int16].self) == [-1])
            #expect(throws: PostgresError.self) { try row.decode(0, as: [Int64].self) }
        }
    }

    @Test func setBasedWritesTakeArrays() async throws {
        let table = TestDatabase.uniqueName()
        let count = 1000
        try await TestDatabase.withClient { client in
            try await client.execute(.simple("CREATE TABLE \(table) (id int8 PRIMARY KEY, body text, raw bytea)"))
            let written = try await client.execute(
                PostgresStatement(
                    "INSERT INTO \(table) SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[])",
                    [
                        .int8Array((0..<count).map(Int64.init)),
                        .textArray((0..<count).map { $0 % 3 == 0 ? nil : "n\($0)" }),
                        .bytesArray((0..<count).map { [UInt8](repeating: 7, count: $0 % 9) }),
                    ]
                )
            )
            #expect(written.affectedRows == count && written.isEmpty)
            let rows = try await client.execute(PostgresStatement("SELECT id, body, raw FROM \(table) ORDER BY id"))
            #expect(rows.count == count)
            for (index, row) in rows.enumerated() {
                #expect(try row.decode(0, as: Int.self) == index)
                #expect(try row.decode(1, as: String?.self) == (index % 3 == 0 ? nil : "n\(index)"))
                #expect(try row.decode(2, as: [UInt8].self).count == index % 9)
            }
            try await client.execute(.simple("DROP TABLE \(table)"))
        }
    }

    @Test func simpleStatementsReturnText() async throws {
        try await TestDatabase.withClient { client in
            let row = try #require(try await client.execute(.simple("SELECT 42, 'x', true, 1.5::float8, NULL")).first)
            #expect(try row.decode(0, as: Int.self) == 42)
            #expect(try row.decode(1, as: String.self) == "x")
            #expect(try row.decode(2, as: Bool.self))
            #expect(try row.decode(3, as: Double.self) == 1.5)
            #expect(try row.decode(4, as: Int?.self) == nil)
        }
    }
}
