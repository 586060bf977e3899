import FoundationEssentials
import Testing

@testable import PostgreSQL

@Suite struct PostgresValueTests {
    private func decode<T: PostgresDecodable>(_ value: PostgresValue, as: T.Type = T.self) throws -> T {
        guard let payload = value.payload else {
            return try T.decode(PostgresCell(type: value.type, isBinary: true, bytes: nil))
        }
        return try payload.withUnsafeBytes { try T.decode(PostgresCell(type: value.type, isBinary: true, bytes: $0)) }
    }

    @Test func scalarsReadBackAsTheyWere() throws {
        for value in [Int64.min, -1, 0, 1, .max] { #expect(try decode(.int8(value)) == value) }
        for value in [Int32.min, 0, .max] { #expect(try decode(.int4(value), as: Int.self) == Int(value)) }
        for value in [Int16.min, 0, .max] { #expect(try decode(.int2(value), as: Int32.self) == Int32(value)) }
        for value in [-Double.infinity, -0.5, 0, .greatestFiniteMagnitude] {
            #expect(try decode(.double(value)) == value)
        }
        for value in ["", "a", "\u{1F600} \u{DF}"] {
            #expect(try decode(.text(value)) == value)
            #expect(try decode(.text(value), as: [UInt8].self) == Array(value.utf8))
        }
        #expect(try decode(.bytes([0, 255])) == [UInt8]([0, 255]))
        #expect(try decode(.bool(true)) == true)
        let id = UUID()
        #expect(try decode(.uuid(id)) == id)
        let time = PostgresTimestamp(microsecondsSinceEpoch: 1_700_000_000_123_456)
        #expect(try decode(.timestamp(time)) == time)
        #expect(try decode(.int8(nil), as: Int64?.self) == nil)
    }

    @Test func arraysReadBackAsTheyWere() throws {
        let counts = [0, 1, 7, 1000]
        for count in counts {
            #expect(try decode(.int8Array((0..<count).map(Int64.init))) == (0..<count).map(Int64.init))
            #expect(try decode(.int4Array((0..<count).map(Int32.init))) == (0..<count).map(Int32.init))
            #expect(try decode(.textArray((0..<count).map(String.init))) == (0..<count).map(String.init))
            let blobs = (0..<count).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0 % 5) }
            #expect(try decode(.bytesArray(blobs)) == blobs)
            let ids = (0..<count).map { _ in UUID() }
            #expect(try decode(.uuidArray(ids)) == ids)
            #expect(try decode(.boolArray(ids.map { $0.uuid.0 > 127 })) == ids.map { $0.uuid.0 > 127 })
        }
        let holes: [Int64?] = [1, nil, 3]
        #expect(try decode(.int8Array(holes)) == holes)
        let texts: [String?] = [nil, "", nil]
        #expect(try decode(.textArray(texts)) == texts)
        #expect(throws: PostgresError.self) { try decode(.int8Array(holes), as: [Int64].self) }
    }

    @Test func wrongTypesAndSizesAreRefused() throws {
        #expect(throws: PostgresError.self) { try decode(.int8(1), as: String.self) }
        #expect(throws: PostgresError.self) { try decode(.text("1"), as: Int.self) }
        #expect(throws: PostgresError.self) { try decode(.int8(nil), as: Int.self) }
        #expect(throws: PostgresError.self) { try decode(.int8(.max), as: Int32.self) }
        #expect(throws: PostgresError.self) { try decode(.bytes([1]), as: String.self) }
        #expect(throws: PostgresError.self) { try decode(PostgresValue(type: .uuid, payload: [1]), as: UUID.self) }
        let infinite = PostgresValue(type: .timestamptz, payload: [0x7F] + [UInt8](repeating: 0xFF, count: 7))
        #expect(throws: PostgresError.self) { try decode(infinite, as: Date.self) }
    }

    @Test(arguments: [UInt64.random(in: 1...UInt64.max), 1])
    func damagedArraysAreRefusedOrRead(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let whole = try #require(PostgresValue.textArray(["abc", nil, "de"]).payload)
        for _ in 0..<20_000 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let value = PostgresValue(type: .textArray, payload: bytes)
            _ = try? decode(value, as: [String?].self)
        }
        for length in 0..<whole.count where length != 12 {
            let cut = PostgresValue(type: .textArray, payload: Array(whole.prefix(length)))
            #expect(throws: PostgresError.self, "seed \(seed)") { try decode(cut, as: [String?].self) }
        }
    }

    @Test func statementsThatCannotBeSentAreRefused() {
        #expect(throws: PostgresError.self) { try PostgresStatement("SELECT $1", [.text("a\0")]).validate() }
        #expect(throws: PostgresError.self) {
            try PostgresStatement("SELECT $1", [.textArray(["a", "\0"])]).validate()
        }
        #expect(throws: PostgresError.self) { try PostgresStatement("SELECT '\0'").validate() }
        let many = [PostgresValue](repeating: .int8(1), count: 65_536)
        #expect(throws: PostgresError.self) { try PostgresStatement("SELECT 1", many).validate() }
        #expect(throws: Never.self) { try PostgresStatement("SELECT $1", [.bytes([0])]).validate() }
    }

    @Test func datesAreRoundedAndHeldWithinTheRange() {
        #expect(PostgresTimestamp(Date(timeIntervalSince1970: 1.000_000_4)).microsecondsSinceEpoch == 1_000_000)
        #expect(PostgresTimestamp(Date(timeIntervalSince1970: .infinity)).microsecondsSinceEpoch == .max)
        #expect(PostgresTimestamp(Date(timeIntervalSince1970: .nan)).wireValue < 0)
        #expect(PostgresTimestamp(wireValue: .max) == nil)
        #expect(PostgresTimestamp(wireValue: .max - 1) == nil)
    }
}
