import EventPattern
import JSON

/// The time that one event of about 1 KB takes against many patterns, and one change among them.
///
/// The patterns are those of one tenant, all over the same five fields; one in a hundred asks for a number above a
/// bound, for a prefix or for a wildcard instead of exact values. The event is parsed anew each time.
struct EventPatternBenchmark {
    private static let types = 40
    private static let regions = ["eu-west-1", "eu-north-1", "us-east-1", "us-west-2", "ap-south-1"]

    private let count: Int
    private let event: [UInt8]
    private var index = EventPatternIndex<Int>()

    init(count: Int) throws {
        self.count = count
        event = Self.event()
        for number in 0..<count { index.insert(number, try Self.pattern(number)) }
    }

    func run() throws {
        let expected = try index.matches(JSONDocument(parsing: event).root)
        guard !expected.isEmpty else { throw Failure() }
        let parsing = try Stopwatch.microseconds(iterations: 100_000) { try JSONDocument(parsing: event).root.count }
        let matching = try Stopwatch.microseconds(iterations: 100_000) {
            try index.matches(JSONDocument(parsing: event).root).count
        }
        print(figure: "parsing_us", parsing)
        print(figure: "matching_us", matching)
        try changes()
    }

    private func changes() throws {
        let pattern = try Self.pattern(count + 1)
        // A copy that a reader holds meanwhile, so that nothing can be changed in place.
        let insert = Stopwatch.microseconds(iterations: 10_000) {
            var copy = index
            copy.insert(-1, pattern)
            return copy.count
        }
        let remove = Stopwatch.microseconds(iterations: 10_000) {
            var copy = index
            copy.remove(count / 2)
            return copy.count
        }
        print(figure: "insert_us", insert)
        print(figure: "remove_us", remove)
    }

    private func print(figure: String, _ value: Double) {
        let rounded = (value * 100).rounded() / 100
        Swift.print(#"{"figure":"\#(figure)","patterns":\#(count),"value":\#(rounded)}"#)
    }

    /// The pattern with a number; numbers 0 to 9 are among them however many there are.
    private static func pattern(_ number: Int) throws -> EventPattern {
        var amount = "[\(number % 7), \(number % 7 + 10)]"
        var subject = #"["order-\#(number)"]"#
        switch number % 300 {
        case 100: amount = #"[{"numeric": [">", \#(number % 1000)]}]"#
        case 200: subject = #"[{"prefix": "order-\#(number)"}]"#
        case 299: subject = #"[{"wildcard": "order-\#(number)*x"}]"#
        default: break
        }
        let text = """
            {"type": ["shop.order.\(number % types)"], "source": ["/shops/\(number % 100)"], "subject": \(subject),
             "data": {"region": ["\(regions[number % regions.count])"], "amount": \(amount)}}
            """
        return try EventPattern(compiling: JSONDocument(parsing: text).root)
    }

    /// An event that meets pattern 7.
    private static func event() -> [UInt8] {
        let lines = (0..<6).map { line in
            #"{"sku": "SKU-\#(1000 + line)", "quantity": \#(line + 1), "price": 19.95, "name": "A thing of some kind"}"#
        }
        let text = """
            {"specversion": "1.0", "id": "0190e2b4-7b1c-7e11-9f6a-3f5a1c2b4d5e", "time": "2026-01-01T12:00:00.000Z",
             "type": "shop.order.7", "source": "/shops/7", "subject": "order-7", "datacontenttype": "application/json",
             "data": {"region": "us-east-1", "amount": 0, "currency": "EUR", "customer": {"id": 4711, "name": "Ada"},
             "address": {"street": "1 Example Street", "city": "Exampleton", "postcode": "12345"},
             "paid": true, "note": null, "lines": [\(lines.joined(separator: ", "))]}}
            """
        return Array(text.utf8)
    }

}
