import TestSupport
import Testing

@testable import CommandLineCore

@Suite struct SignalLoadTests {
    private func load(
        _ sink: RecordingSink,
        _ numbers: Range<Int>,
        batch: Int = 1,
        rate: Int? = nil
    ) -> CommandLineCore.SignalLoad {
        CommandLineCore.SignalLoad(
            host: "127.0.0.1",
            port: sink.port,
            request: SignalRequest(host: "127.0.0.1:\(sink.port)", token: "bat_x", type: "bench.abc"),
            numbers: numbers,
            batch: batch,
            concurrency: 4,
            rate: rate,
            deadline: .now + .seconds(60)
        )
    }

    private func withGateway(answering status: Int, _ body: (RecordingSink) async throws -> Void) async throws {
        let script: RecordingSink.Script = { _, _ in .answer(status) }
        try await RecordingSink.with(script, body)
    }

    @Test func postsEverySignalOnceAndNoFasterThanItsRate() async throws {
        try await withGateway(answering: 202) { sink in
            let outcome = try await load(sink, 5..<45, rate: 100).post()
            #expect(outcome.latencies.count == 40)
            #expect(Set(sink.calls.map(\.body)).count == 40)
            // The last of them is due after 39 hundredths of a second.
            #expect(outcome.acknowledged - outcome.started >= .milliseconds(390))
        }
    }

    @Test func postsWhatIsLeftInASmallerBatch() async throws {
        try await withGateway(answering: 202) { sink in
            let outcome = try await load(sink, 0..<10, batch: 4).post()
            #expect(outcome.latencies.count == 3)
        }
    }

    @Test func endsWithTheFirstRefusal() async throws {
        try await withGateway(answering: 503) { sink in
            await #expect(throws: CommandLineError.self) { try await load(sink, 0..<10).post() }
        }
    }
}
