import Logging
import Synchronization
import Testing

@testable import ServiceRuntime

/// Keeps the lines that are written to it.
final class RecordingSink: LogSink {
    private let recorded = Mutex<[String]>([])

    var lines: [String] { recorded.withLock { $0 } }

    func write(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self)
        recorded.withLock { $0.append(text) }
    }
}

@Suite struct LogTests {
    private let sink = RecordingSink()

    private func makeLogger() -> Logger {
        let sink = sink
        return Logger(label: "test") { _ in
            JSONLogHandler(
                service: "scheduler",
                replica: "r-1",
                level: .info,
                sink: sink,
                metadataProvider: TraceContext.metadataProvider,
                now: { LogTime(seconds: 1_785_414_896, microseconds: 789) }
            )
        }
    }

    private static let start =
        #"{"time":"2026-07-30T12:34:56.000789Z","level":"info","service":"scheduler","replica":"r-1","message":"#

    @Test func aLineIsOneObjectWithItsMembersInOrder() {
        var logger = makeLogger()
        logger[metadataKey: "tenant"] = "acme"
        logger[metadataKey: "zeta"] = "1"
        logger.info(
            "fired",
            metadata: [
                "trace_id": "abc", "alpha": .stringConvertible(42), "ratio": .stringConvertible(0.5),
                "done": .stringConvertible(true), "http": ["status": .stringConvertible(200), "path": ["deep": "x"]],
                "list": ["a", .stringConvertible(7), ["k": "v"]], "level": "mine",
            ]
        )
        #expect(
            sink.lines == [
                Self.start + #""fired","trace_id":"abc","tenant":"acme","alpha":42,"done":true,"#
                    + #""http.path.deep":"x","http.status":200,"metadata.level":"mine","list":["a",7,{"k":"v"}],"#
                    + #""ratio":0.5,"zeta":"1"}"# + "\n"
            ]
        )
    }

    @Test func textsAreEscaped() {
        makeLogger().info("\"q\" \\ \n\r\t\u{0}\u{1F}\u{7F}\u{2028} ñ 🎼", metadata: ["a\"b\n": "c"])
        #expect(
            sink.lines == [
                Self.start + #""\"q\" \\ \n\r\t\u0000\u001f\u007f\u2028 ñ 🎼","a\"b\n":"c"}"# + "\n"
            ]
        )
    }

    @Test func secretsAreRedacted() {
        makeLogger().info("in", metadata: ["password": .stringConvertible(RedactedText("hunter2"))])
        #expect(sink.lines == [Self.start + #""in","password":"[redacted]"}"# + "\n"])
    }

    @Test func theTraceOfTheTaskIsAdded() throws {
        let context = try #require(
            TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        )
        TraceContext.$current.withValue(context) { makeLogger().info("x") }
        #expect(
            sink.lines == [
                Self.start + #""x","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}"# + "\n"
            ]
        )
    }

    @Test func linesBelowTheLevelAreNotWritten() {
        var logger = makeLogger()
        logger.debug("no")
        logger.logLevel = .trace
        logger.trace("yes")
        #expect(sink.lines.count == 1)
    }

    @Test func anEndlessTextIsCut() {
        makeLogger().info("\(String(repeating: "é", count: 100_000))")
        #expect((sink.lines.first?.utf8.count ?? 0) < JSONLine.greatestText + 300)
        #expect(sink.lines.first?.hasSuffix("…\"}\n") == true)
    }

    @Test(arguments: [
        (Int64(0), Int64(0), "1970-01-01T00:00:00.000000Z"),
        (951_782_399, 999_999, "2000-02-28T23:59:59.999999Z"),
        (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
        (-1, 5, "1969-12-31T23:59:59.000005Z"),
        (1_709_251_199, 0, "2024-02-29T23:59:59.000000Z"),
    ])
    func timesAreWritten(seconds: Int64, microseconds: Int64, text: String) {
        #expect(LogTime(seconds: seconds, microseconds: microseconds).text == text)
    }
}
