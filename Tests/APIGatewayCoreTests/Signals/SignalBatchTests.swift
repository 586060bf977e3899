import Domain
import FoundationEssentials
import Testing

@testable import APIGatewayCore

@Suite struct SignalBatchTests {
    @Test func theFirstOfAKeyLeadsAndTheOthersRepeatIt() throws {
        let signals = try [signal("b", data: 1), signal("a", data: 1), signal("b", data: 2), signal("b", data: 1)]
        let batch = SignalBatch(signals)
        #expect(batch.leaders.map(\.id) == ["a", "b"])
        let outcomes = batch.outcomes(fresh: Set(batch.leaders.map(\.signalID)), known: [:])
        #expect(outcomes.map { $0?.receipt.signalID } == [0, 1, 0, 0].map { signals[$0].signalID })
        #expect(outcomes.map { $0?.receipt.isDuplicate } == [false, false, true, true])
        #expect(outcomes.map { $0?.isConflicting } == [false, false, true, false])
    }

    @Test func aKeyThatTheDatabaseKnowsIsADuplicate() throws {
        let signals = try [signal("a", data: 1), signal("a", data: 2)]
        let batch = SignalBatch(signals)
        #expect(batch.taken(fresh: []).map(\.signalID) == [signals[0].signalID])
        let earlier = UUIDv7.make()
        let known = [signals[0].key: SignalBatch.Known(signalID: earlier, digest: signals[1].digest)]
        let outcomes = batch.outcomes(fresh: [], known: known)
        #expect(
            outcomes.map { $0?.receipt }
                == Array(repeating: SignalReceipt(signalID: earlier, isDuplicate: true), count: 2)
        )
        #expect(outcomes.map { $0?.isConflicting } == [true, false])
    }

    @Test func anEarlierTryOfTheSameBatchIsNoDuplicate() throws {
        let signals = try [signal("a", data: 1), signal("a", data: 1)]
        let known = [signals[0].key: SignalBatch.Known(signalID: signals[0].signalID, digest: signals[0].digest)]
        let outcomes = SignalBatch(signals).outcomes(fresh: [], known: known)
        #expect(outcomes.map { $0?.receipt.isDuplicate } == [false, true])
    }

    @Test func aKeyThatIsNeitherFreshNorKnownHasNoOutcome() throws {
        #expect(SignalBatch([try signal("a", data: 1)]).outcomes(fresh: [], known: [:]) == [nil])
    }

    @Test func keysAreComparedByTheirBytes() throws {
        let composed = try signal("\u{E9}", data: 1)
        let decomposed = try signal("e\u{301}", data: 1)
        #expect(SignalBatch([composed, decomposed]).leaders.count == 2)
    }

    private func signal(_ id: String, data: UInt8) throws -> IncomingSignal {
        IncomingSignal(
            signalID: UUIDv7.make(),
            tenant: try #require(Tenant("acme")),
            type: "t",
            source: "/s",
            id: id,
            digest: SignalReader.digest(type: "t", data: [data]),
            event: [],
            traceparent: nil
        )
    }
}
