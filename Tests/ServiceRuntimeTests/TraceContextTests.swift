import Testing

@testable import ServiceRuntime

/// Counts upwards, so that ids can be foretold.
struct CountingGenerator: RandomNumberGenerator {
    var last: UInt64 = 0

    mutating func next() -> UInt64 {
        last += 1
        return last
    }
}

@Suite struct TraceContextTests {
    private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test(
        arguments: [
            (header, header),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", nil),
            // Flags that are not known are not passed on.
            (
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
            ),
            // Later versions: the first four fields count.
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", header),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings", header),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", header),
            ("00-00000000000000000000000000000001-0000000000000001-01", nil),
            ("00-00000000000000010000000000000000-0000000000000001-01", nil),
        ] as [(String, String?)]
    )
    func headersAreRead(text: String, written: String?) {
        #expect(TraceContext(traceparent: text)?.traceparent == written ?? text)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", header + "0", header + "-x", " " + header,
        header + " ", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319ñ-b7ad6b7169203331-01",
    ])
    func brokenHeadersAreNotRead(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func aNewTraceAndItsChildrenComeFromTheGenerator() {
        var generator = CountingGenerator()
        let root = TraceContext.random(using: &generator)
        #expect(root.isSampled)
        #expect(root.traceID.hasPrefix("0000000000000001"))
        let child = root.child(using: &generator)
        #expect(child.traceID == root.traceID)
        #expect(child.spanID != root.spanID)
        #expect(TraceContext(traceparent: child.traceparent) == child)
        #expect(!TraceContext.random(using: &generator, isSampled: false).isSampled)
    }

    @Test func aRequestIsContinuedOrStartsATrace() {
        var generator = CountingGenerator()
        let continued = TraceContext.continuing(traceparent: Self.header, tracestate: "a=1", using: &generator)
        #expect(continued.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(continued.spanIDText != "b7ad6b7169203331")
        #expect(continued.state == "a=1")
        let fresh = TraceContext.continuing(traceparent: "nonsense", tracestate: "a=1", using: &generator)
        #expect(fresh.traceID.hasPrefix("0000000000000"))
        #expect(fresh.state == nil)
    }

    @Test(arguments: [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true), ("a=1 , b=2", true), ("a=1,,b=2", true),
        ("tenant@vendor=x", true), ("1a=x", true), ("", false), ("a", false), ("=x", false), ("a=", false),
        ("A=1", false), ("a=1,a=2", false), ("a=b=c", false), ("a=\u{7F}", false),
        ((0..<32).map { "k\($0)=v" }.joined(separator: ","), true),
        ((0..<33).map { "k\($0)=v" }.joined(separator: ","), false),
    ])
    func statesAreChecked(text: String, isKept: Bool) throws {
        let context = try #require(TraceContext(traceparent: Self.header, tracestate: text))
        #expect(context.state == (isKept ? text : nil))
    }
}
