import JSON
import TestSupport
import Testing

@testable import EventPattern

@Suite("What conditions are made of")
struct ConditionTests {
    @Test("numbers are read like the library reads them")
    func numbers() {
        var random = SeededGenerator.random()
        for _ in 0..<5000 {
            let digits = String(Int.random(in: 0...Int(pow(Int.random(in: 0...18, using: &random))), using: &random))
            let fraction = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                String(Int.random(in: 0...9, using: &random))
            }
            let exponent = Bool.random(using: &random) ? "" : "e\(Int.random(in: -340...340, using: &random))"
            let sign = Bool.random(using: &random) ? "-" : ""
            let text = sign + digits + (fraction.isEmpty ? "" : "." + fraction.joined()) + exponent
            let value = Array(text.utf8).withUnsafeBufferPointer { NumberText.value(of: $0) }
            #expect(value?.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    /// A power of ten.
    private func pow(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    @Test("keys of numbers sort like the numbers")
    func keys() {
        let least = Double.leastNonzeroMagnitude
        let numbers = [-Double.infinity, -1e300, -2, -1, -least, 0, least, 1, 1.5, 2, 1e300, .infinity]
        #expect(numbers.map(NumericRange.key) == numbers.map(NumericRange.key).sorted())
        #expect(Set(numbers.map(NumericRange.key)).count == numbers.count)
        #expect(NumericRange.key(of: -0.0) == NumericRange.key(of: 0))
        #expect(NumericRange(low: 1, excludesLow: true, high: 1.0.nextUp, excludesHigh: true).keys == nil)
        #expect(NumericRange(low: 1, high: 1).keys?.count == 1)
    }

    @Test("addresses are in ranges as their digits say")
    func addresses() throws {
        var random = SeededGenerator.random()
        var (compared, inside) = (0, 0)
        for _ in 0..<4000 {
            let base = Self.address(using: &random)
            let length = Int.random(in: 0...(base.contains(":") ? 127 : 31), using: &random)
            let range: AddressRange
            do {
                range = try AddressRange("\(base)/\(length)")
            } catch .tooLong(let limit) {
                // An address of version 6 that stands for one of version 4 has that one's lengths.
                #expect(limit == 31 && length > 31 && base.contains("ffff"), "\(base)/\(length)")
                continue
            }
            let text = Bool.random(using: &random) ? base : Self.address(using: &random)
            let address = try #require(InternetAddress(text), "\(text)")
            let expected = ReferenceAddress.cidr("\(base)/\(length)", .string(text))
            #expect(range.contains(address) == expected, "\(base)/\(length) \(text)")
            compared += 1
            inside += expected ? 1 : 0
        }
        #expect(inside > 1000 && compared - inside > 400, "\(inside) of \(compared)")
    }

    /// An address of few different digits.
    private static func address(using random: inout SeededGenerator) -> String {
        if Bool.random(using: &random) {
            let parts = (0..<4).map { _ in [0, 1, 10, 32, 255].randomElement(using: &random) ?? 0 }
            return parts.map(String.init).joined(separator: ".")
        }
        let groups = (0..<8).map { _ in ["0", "ffff", "100", "a00", "2001"].randomElement(using: &random) ?? "" }
        let kept = Int.random(in: 0...8, using: &random)
        return kept == 8
            ? groups.joined(separator: ":")
            : "\(groups.prefix(kept).joined(separator: ":"))::\(groups.dropFirst(kept + 1).joined(separator: ":"))"
    }

    @Test(
        "what is no address",
        arguments: [
            "", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1..2.3", ".1.2.3", "1.2.3.", "256.1.1.1", "1.2.3.4 ",
            "-1.2.3.4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2::3", "12345::", "::g", ":1::",
            "1:", "::1.2.3.4", "0000000000000001.2.3.4", "[::1]", "::1%0",
        ]
    )
    func noAddress(_ text: String) {
        #expect(InternetAddress(text) == nil)
    }

    @Test("runs stay sorted, and lose what is removed")
    func runs() {
        var random = SeededGenerator.random()
        let program = PatternProgram(leaves: [], alternatives: [], pathNames: [], overridden: [])
        let patterns = (0..<300).map { IndexedPattern(id: $0, serial: $0, program: program, paths: []) }
        var runs = SortedRuns()
        var expected: [Int: UInt64] = [:]
        for _ in 0..<3000 {
            let serial = Int.random(in: 0..<300, using: &random)
            if let key = expected.removeValue(forKey: serial) {
                runs.remove(key, patterns[serial])
                runs.remove(key, patterns[serial])
            } else {
                let key = UInt64.random(in: 0..<40, using: &random)
                expected[serial] = key
                runs.insert(key, patterns[serial])
                runs.insert(key, patterns[serial])
            }
        }
        for limit in [0, 17, 40] as [UInt64] {
            var found: [Int] = []
            runs.visit(upTo: limit) { found.append($0.serial) }
            #expect(found.map { expected[$0] ?? .max } == found.map { expected[$0] ?? .max }.sorted())
            #expect(Set(found) == Set(expected.filter { $0.value <= limit }.keys))
            #expect(found.count == Set(found).count)
        }
    }
}
