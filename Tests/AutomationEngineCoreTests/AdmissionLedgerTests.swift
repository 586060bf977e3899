import Domain
import FoundationEssentials
import Testing

@testable import AutomationEngineCore

/// What is decided about runs, by what is known: every policy, in the order of arrival.
@Suite("Admission of runs, decided")
struct AdmissionLedgerTests {
    private static let steps = #""trigger":{"signalType":"a.b"},"steps":[{"action_key":"data.transform"}]"#

    private func request(
        _ members: String,
        data: String = "{}",
        isResumed: Bool = false,
        isPaused: Bool = false,
        of id: UUID
    ) throws -> AdmissionRequest {
        var automation = try Fixtures.automation("{\(Self.steps),\(members)}", id: id)
        automation.isPaused = isPaused
        return try AdmissionRequest(
            automation,
            try Fixtures.signal(data: data),
            runID: UUIDv7.make(),
            isResumed: isResumed
        )
    }

    private func outcome(_ verdict: AdmissionLedger.Verdict) -> String {
        switch verdict.outcome {
        case .begins: "begins"
        case .held: "held"
        case .refused(let refusal): refusal.reason.rawValue
        }
    }

    @Test("of a key as many begin as the limit says, and a full key stands in no other's way")
    func places() throws {
        let id = UUIDv7.make()
        let members = #""concurrency":{"limit":2,"key":"{{ signal.data.k }}"}"#
        let requests = try ["a", "a", "a", "b", "a", "b", "b"].map {
            try request(members, data: #"{"k":"\#($0)"}"#, of: id)
        }
        var ledger = AdmissionLedger()
        for gate in Set(requests.compactMap(\.place)) {
            ledger.places[gate] = AdmissionLedger.Places(going: 0, oldest: [], waiting: 0)
        }
        #expect(
            requests.map { outcome(ledger.decide($0)) }
                == ["begins", "begins", "held", "begins", "held", "begins", "held"]
        )
        #expect(ledger.entries.values.count { $0.stage == .going } == 4)
    }

    @Test("a run that ends in its batch gives its place to the next")
    func ends() throws {
        let id = UUIDv7.make()
        let members = #""concurrency":{"limit":1,"on_limit":"skip"}"#
        let requests = try (0..<3).map { _ in try request(members, of: id) }
        var ledger = AdmissionLedger()
        ledger.places[try #require(requests[0].place)] = AdmissionLedger.Places(going: 0, oldest: [], waiting: 0)
        #expect(outcome(ledger.decide(requests[0])) == "begins")
        ledger.ended(requests[0])
        #expect(ledger.entries.isEmpty)
        #expect(outcome(ledger.decide(requests[1])) == "begins")
        #expect(outcome(ledger.decide(requests[2])) == "concurrency")
        #expect(ledger.refusals.map(\.run) == [requests[1].runID])
    }

    @Test("who waits comes before who arrives, though a place is free")
    func order() throws {
        for (policy, expected) in [("queue", "held"), ("skip", "concurrency"), ("cancel_running", "begins")] {
            let request = try request(#""concurrency":{"limit":2,"on_limit":"\#(policy)"}"#, of: UUIDv7.make())
            var ledger = AdmissionLedger()
            ledger.places[try #require(request.place)] = AdmissionLedger.Places(
                going: 1,
                oldest: [UUIDv7.make()],
                waiting: 1
            )
            #expect(outcome(ledger.decide(request)) == expected)
        }
    }

    @Test("the oldest are canceled for the newest, no more of them than needed")
    func cancels() throws {
        let request = try request(#""concurrency":{"limit":2,"on_limit":"cancel_running"}"#, of: UUIDv7.make())
        let going = (0..<4).map { _ in UUIDv7.make() }
        for (count, canceled) in [(0, 0), (1, 0), (2, 1), (4, 3)] {
            var ledger = AdmissionLedger()
            ledger.places[try #require(request.place)] = AdmissionLedger.Places(
                going: count,
                oldest: Array(going.prefix(count)),
                waiting: 0
            )
            let verdict = ledger.decide(request)
            #expect(outcome(verdict) == "begins")
            #expect(verdict.superseded == Array(going.prefix(canceled)))
        }
    }

    @Test("a rate counts the starts of the time before, to the microsecond")
    func rates() throws {
        let second: Int64 = 1_000_000
        for (policy, full) in [("queue", "held"), ("skip", "rate_limit")] {
            let request = try request(
                #""rate_limit":{"limit":2,"per":"10s","on_limit":"\#(policy)"}"#,
                of: UUIDv7.make()
            )
            let gate = try #require(request.rate)
            let cases: [(times: [Int64], expected: String)] = [
                ([], "begins"), ([99], "begins"), ([99, 90], "begins"), ([99, 91], full), ([100, 100], full),
            ]
            for (times, expected) in cases {
                var ledger = AdmissionLedger()
                ledger.now = 100 * second
                ledger.rates[gate] = AdmissionLedger.Starts(
                    times: times.map { $0 * second },
                    newestRun: nil,
                    hasWaiting: false
                )
                #expect(outcome(ledger.decide(request)) == expected, "\(policy) \(times)")
                if expected == "held" {
                    let left = Duration.seconds(times[1] - 90)
                    #expect(ledger.entries[request.runID]?.lookAfter == left)
                }
            }
        }
    }

    @Test("only the first that waits for a rate says when to look, and the ones behind it wait though there is room")
    func rateOrder() throws {
        let id = UUIDv7.make()
        let requests = try (0..<3).map { _ in try request(#""rate_limit":{"limit":1,"per":"10s"}"#, of: id) }
        var ledger = AdmissionLedger()
        ledger.rates[try #require(requests[0].rate)] = AdmissionLedger.Starts(
            times: [],
            newestRun: nil,
            hasWaiting: false
        )
        #expect(requests.map { outcome(ledger.decide($0)) } == ["begins", "held", "held"])
        #expect(ledger.entries[requests[1].runID]?.lookAfter == .seconds(10))
        #expect(ledger.entries[requests[2].runID]?.lookAfter == nil)
        #expect(ledger.starts.count == 1)
    }

    @Test("a run with both limits has its place while it waits for the rate")
    func both() throws {
        let id = UUIDv7.make()
        let requests = try (0..<3).map { _ in
            try request(#""concurrency":{"limit":2},"rate_limit":{"limit":1,"per":"10s"}"#, of: id)
        }
        var ledger = AdmissionLedger()
        ledger.places[try #require(requests[0].place)] = AdmissionLedger.Places(going: 0, oldest: [], waiting: 0)
        ledger.rates[try #require(requests[0].rate)] = AdmissionLedger.Starts(
            times: [],
            newestRun: nil,
            hasWaiting: false
        )
        #expect(requests.map { outcome(ledger.decide($0)) } == ["begins", "held", "held"])
        #expect(requests.map { ledger.entries[$0.runID]?.stage } == [.going, .rate, .place])
    }

    @Test("A15: a key that is held starts nothing and names the run; one that its run gives up is free again")
    func dedupe() throws {
        for (until, second) in [("", "deduplicated"), (#","until":"end""#, "begins")] {
            let id = UUIDv7.make()
            let members = #""dedupe":{"key":"{{ signal.data.k }}","window":"1h"\#(until)}"#
            let requests = try ["a", "a", "b", "a"].map { try request(members, data: #"{"k":"\#($0)"}"#, of: id) }
            var ledger = AdmissionLedger()
            #expect(requests[0..<3].map { outcome(ledger.decide($0)) } == ["begins", "deduplicated", "begins"])
            #expect(ledger.refusals.map(\.run) == [requests[0].runID])
            ledger.ended(requests[0])
            #expect(outcome(ledger.decide(requests[3])) == second)
        }
    }

    @Test("A7: a run that goes on is never skipped, cancels nobody and waits, and somebody looks")
    func resumed() throws {
        for policy in ["queue", "skip", "cancel_running"] {
            let request = try request(
                #""concurrency":{"limit":1,"on_limit":"\#(policy)"},"dedupe":{"key":"x","window":"1h"}"#,
                isResumed: true,
                of: UUIDv7.make()
            )
            #expect(request.dedupe == nil)
            var ledger = AdmissionLedger()
            ledger.places[try #require(request.place)] = AdmissionLedger.Places(
                going: 1,
                oldest: [UUIDv7.make()],
                waiting: 0
            )
            let verdict = ledger.decide(request)
            #expect(outcome(verdict) == "held" && verdict.superseded.isEmpty)
            #expect(ledger.entries[request.runID]?.lookAfter == .zero)
        }
    }

    @Test("while an automation is paused nothing is skipped or canceled, but what a dedupe key has started")
    func paused() throws {
        let id = UUIDv7.make()
        let members =
            #""concurrency":{"limit":1,"on_limit":"skip"},"dedupe":{"key":"{{ signal.data.k }}","window":"1h"}"#
        let requests = try ["a", "b", "a"].map {
            try request(members, data: #"{"k":"\#($0)"}"#, isPaused: true, of: id)
        }
        var ledger = AdmissionLedger()
        ledger.paused = [id]
        ledger.places[try #require(requests[0].place)] = AdmissionLedger.Places(
            going: 1,
            oldest: [UUIDv7.make()],
            waiting: 0
        )
        #expect(requests.map { outcome(ledger.decide($0)) } == ["held", "held", "deduplicated"])
        #expect(ledger.entries.values.allSatisfy { $0.stage == .pause })
    }

    @Test("a key has the value of its template: of different kinds different ones, and long ones by their hash")
    func keys() throws {
        func key(_ data: String) throws -> String? {
            try request(
                #""concurrency":{"limit":1,"key":"{{ signal.data.k }}"}"#,
                data: data,
                of: UUIDv7.make()
            ).place?.key
        }
        #expect(try key(#"{"k":5}"#) == "5")
        #expect(try key(#"{"k":"5"}"#) == #""5""#)
        #expect(try key(#"{"k":null}"#) == "null")
        #expect(try key(#"{"k":12345678901234567891}"#) == "12345678901234567891")
        let long = String(repeating: "x", count: 300)
        #expect(try key(#"{"k":"\#(long)"}"#)?.hasPrefix("sha256:") == true)
        for data in ["{}", #"{"k":[1]}"#, #"{"k":{}}"#] {
            #expect(throws: StepError.self) { try key(data) }
        }
    }
}
