import Domain
import FoundationEssentials
import Testing

@Suite("UUIDs of version 7")
struct UUIDv7Tests {
    @Test("RFC 9562's example")
    func example() {
        // RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F.
        let id = UUIDv7.make(milliseconds: 0x017F_22E2_79B0, high: 0xCC3, low: 0x18C4_DC0C_0C07_398F)
        #expect(id.lowercased == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(UUIDv7.milliseconds(of: id) == 0x017F_22E2_79B0)
    }

    @Test("ids of later instants sort later")
    func order() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<1_000).map { UUIDv7.make(milliseconds: 1_700_000_000_000 + UInt64($0), using: &generator) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }

    @Test("an id is written as Foundation writes it, in lower case")
    func text() {
        for _ in 0..<1_000 {
            let id = UUIDv7.make()
            #expect(id.lowercased == id.uuidString.lowercased())
        }
    }

    @Test("pooled random numbers differ, also where several tasks take them")
    func random() async {
        let numbers = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var generator = PooledRandomNumbers()
                    return (0..<1_000).map { _ in generator.next() }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(numbers).count == 4_000)
        let ones = numbers.reduce(0) { $0 + $1.nonzeroBitCount }
        #expect((120_000...136_000).contains(ones), "half of 256,000 bits, about")
    }

    @Test("bytes are written in lower-case hex")
    func hex() {
        let bytes: [UInt8] = [0, 9, 10, 15, 16, 0xAB, 0xFF]
        #expect(bytes.hex == "00090a0f10abff")
        #expect([UInt8](hex: "00090a0F10ABff") == bytes)
        #expect([UInt8](hex: "") == [])
        for text in ["0", "0g", "-0", "+1", " 1", "0x", "\u{FF10}0", "001"] {
            #expect([UInt8](hex: text) == nil, "\(text)")
        }
    }

    @Test("an id of another version has no time")
    func otherVersion() {
        #expect(UUIDv7.milliseconds(of: UUID()) == nil)
    }
}
