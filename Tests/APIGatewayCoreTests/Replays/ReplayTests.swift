import Contracts
import Domain
import EventPattern
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import APIGatewayCore

/// What a replay does next, and what it sends, without a database.
@Suite struct ReplayTests {
    private static func replay(
        from: UInt64 = 1_000,
        until: UInt64 = 2_000,
        filter: String? = nil,
        signalType: String = "orders.*"
    ) throws -> Replay {
        Replay(
            tenant: try #require(Tenant("acme")),
            target: Replay.Target(
                id: UUIDv7.make(),
                key: "one",
                version: 3,
                signalType: signalType,
                filter: filter.map { Array($0.utf8) }
            ),
            span: ReplaySpan(from: from, until: until),
            isDryRun: false,
            actor: AuditActor(type: .admin, id: "ann", via: "token:1"),
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        )
    }

    private static func id(_ milliseconds: UInt64) -> UUID {
        UUIDv7.make(milliseconds: milliseconds, high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }

    private static func candidate(
        _ milliseconds: UInt64,
        type: String = "orders.paid",
        more: String = ""
    ) -> ReplayCandidate {
        let id = id(milliseconds)
        let event = """
            {"specversion":"1.0","id":"o-1","source":"/shop","type":"\(type)","subject":"s","shop":"7",\
            "batutasignalid":"\(id.lowercased)","traceparent":"00-00000000000000000000000000000001-0000000000000001-01"\
            \(more),"data":{"total":12.50}}
            """
        return ReplayCandidate(signalID: id, type: type, event: Array(event.utf8))
    }

    // MARK: The next step

    @Test func aSpanIsReadFromItsFirstToItsLastID() throws {
        let replay = try Self.replay()
        guard case .read(let after, let through) = ReplayStep(replay, at: 100_000, settling: 5_000) else {
            Issue.record("nothing is read")
            return
        }
        for _ in 0..<100 {
            #expect(Self.id(999) <= after)
            #expect(Self.id(1_000) > after)
            #expect(Self.id(1_999) <= through)
            #expect(Self.id(2_000) > through)
        }
    }

    @Test func whatMayNotBeCommittedYetIsNotPassedBy() throws {
        var replay = try Self.replay()
        // At 6,500 what was accepted from 1,500 on may still be on its way.
        let half = ReplaySpan(from: 0, until: 1_500).end
        #expect(ReplayStep(replay, at: 6_500, settling: 5_000) == .read(after: replay.span.start, through: half))
        replay.position = half
        #expect(ReplayStep(replay, at: 6_500, settling: 5_000) == .wait)
        #expect(ReplayStep(replay, at: 6_600, settling: 5_000) != .wait)
        #expect(ReplayStep(replay, at: 0, settling: 5_000) == .wait)
        replay.position = replay.span.end
        #expect(ReplayStep(replay, at: 6_500, settling: 5_000) == .end)
    }

    @Test func thePageBeforeIsVerifiedFirst() throws {
        var replay = try Self.replay()
        replay.page = [Self.id(1)]
        #expect(ReplayStep(replay, at: 100_000, settling: 0) == .verify(replay.page))
        replay.position = replay.span.end
        #expect(ReplayStep(replay, at: 100_000, settling: 0) == .verify(replay.page))
        replay.page = []
        #expect(ReplayStep(replay, at: 100_000, settling: 0) == .end)
    }

    /// A machine of random portions, pages and ends of the process, against a list.
    @Test func everySignalIsSentOnceWhateverThePortions() throws {
        var generator = SeededGenerator.random()
        for _ in 0..<50 {
            let times = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                UInt64.random(in: 900...2_100, using: &generator)
            }
            let signals = times.map { Self.candidate($0, type: $0.isMultiple(of: 3) ? "other" : "orders.paid") }
                .sorted { $0.signalID < $1.signalID }
            var replay = try Self.replay()
            let criterion = try #require(try replay.criterion())
            var sent: [UUID] = []
            var steps = 0
            loop: while steps < 1_000 {
                steps += 1
                switch ReplayStep(replay, at: 100_000, settling: 0) {
                case .verify: replay.page = []
                case .wait: Issue.record("nothing is on its way")
                case .end: break loop
                case .read(let after, let through):
                    let rest = signals.filter { $0.signalID > after && $0.signalID <= through }
                    let portion = rest.prefix(Int.random(in: 1...10, using: &generator))
                    let page = ReplayPage(
                        Array(portion),
                        isWhole: portion.count == rest.count,
                        end: through,
                        criterion: criterion,
                        limit: Int.random(in: 1...4, using: &generator)
                    )
                    // The transaction of a process that was killed leaves nothing.
                    guard Bool.random(using: &generator) else { continue }
                    sent += page.matches.map(\.signalID)
                    replay.considered += Int64(page.considered)
                    replay.page = page.matches.map(\.signalID)
                    replay.position = page.position
                }
            }
            let expected = signals.filter { signal in
                signal.type == "orders.paid"
                    && (1_000..<2_000).contains(UUIDv7.milliseconds(of: signal.signalID) ?? 0)
            }
            #expect(sent == expected.map(\.signalID))
            #expect(replay.considered == Int64(expected.count))
        }
    }

    // MARK: What is sent

    @Test func onlyWhatTheAutomationAsksForIsSent() throws {
        let replay = try Self.replay(filter: #"{"data":{"total":[{"numeric":[">",10]}]},"shop":["7"]}"#)
        let candidates = [
            Self.candidate(1_000),
            Self.candidate(1_001, type: "orders"),
            Self.candidate(1_002, type: "machines.stopped"),
            Self.candidate(1_003, more: #","batutatarget":"x""#),
            ReplayCandidate(signalID: Self.id(1_004), type: "orders.paid", event: nil),
            Self.candidate(1_005, type: "orders.line.added"),
            ReplayCandidate(signalID: Self.id(1_006), type: "orders.paid", event: Array(#"{"id":"#.utf8)),
        ]
        let criterion = try #require(try replay.criterion())
        let page = ReplayPage(candidates, isWhole: true, end: replay.span.end, criterion: criterion)
        #expect(page.matches.map(\.signalID) == [candidates[0].signalID, candidates[5].signalID])
        #expect(page.unreadable == [candidates[6].signalID], "it is not passed by in silence")
        #expect(page.considered == 3)
        #expect(page.position == replay.span.end)
        let other = try Self.replay(filter: #"{"shop":["8"]}"#)
        let none = ReplayPage(
            candidates,
            isWhole: false,
            end: other.span.end,
            criterion: try #require(try other.criterion())
        )
        #expect(none.matches.isEmpty)
        #expect(none.considered == 3)
        #expect(none.position == candidates.last?.signalID)
    }

    @Test func aRerunIsTheEventWithAnIdentityOfItsOwn() throws {
        let replay = try Self.replay()
        let original = Self.candidate(1_000, more: #","batutametadata":"{}""#)
        let event = try JSONDocument(parsing: #require(original.event)).root
        let match = ReplayPage.Match(signalID: original.signalID, type: original.type, event: event)
        let signalID = UUIDv7.make()
        let now = try #require(Timestamp(rfc3339: "2026-11-21T23:59:59.999999Z"))
        let signal = RerunSignal.make(match, for: replay, signalID: signalID, at: now)
        let rerun = try JSONDocument(parsing: signal.event).root
        for name in ["specversion", "type", "subject", "shop", "data"] {
            #expect(rerun[name]?.rawBytes.elementsEqual(event[name]?.rawBytes ?? []) == true, "\(name)")
        }
        #expect(rerun["id"]?.stringValue == signalID.lowercased)
        #expect(rerun["batutasignalid"]?.stringValue == signalID.lowercased)
        #expect(rerun["source"]?.stringValue == "/batuta/rerun")
        #expect(rerun["traceparent"]?.stringValue == replay.traceparent)
        let aim = try #require(try SignalsAcceptedV2.Aim(rerun))
        #expect(aim.target == .id(replay.target.id))
        #expect(
            aim.metadata.value == [
                "source": ["type": "rerun", "actor": ["type": "admin", "id": "ann", "via": "token:1"]],
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "day_key": "2026-11-21",
                "executed_at": "2026-11-21T23:59:59.999999Z", "rerun_of": .string(original.signalID.lowercased),
                "replay_id": .string(replay.id.lowercased),
            ]
        )
        #expect(signal.source == "/batuta/rerun")
        #expect(signal.id == signalID.lowercased)
    }

    // MARK: What is asked for

    @Test(arguments: [
        ("{}", ["/from", "/until"]),
        (#"{"from":"2026-11-21T08:00:00Z","until":"yesterday"}"#, ["/until"]),
        (#"{"from":"2026-11-21T08:00:00Z","until":"2026-11-21T08:00:00Z"}"#, ["/until"]),
        (#"{"from":"2026-11-21T08:00:00Z","until":"2026-11-21T07:00:00Z"}"#, ["/until"]),
        (#"{"from":"2026-11-21T08:00:00Z","until":"2026-11-22T08:00:00.002Z"}"#, ["/until"]),
        (#"{"from":"2026-11-21T08:00:00Z","until":"2026-11-22T08:00:00Z","dry_run":1}"#, ["/dry_run"]),
        (#"{"from":1,"until":"2026-11-22T08:00:00Z","more":1}"#, ["/from", "/more"]),
    ])
    func badOrdersAreRefused(_ body: String, _ pointers: [String]) throws {
        let root = try JSONDocument(parsing: body).root
        let problem = #expect(throws: GatewayProblem.self) { try ReplayRequest(root, at: Self.now) }
        #expect(problem?.status == 422)
        #expect(Set(problem?.faults.map(\.pointer) ?? []) == Set(pointers))
    }

    @Test func aGoodOrderIsRead() throws {
        let body = #"{"from":"2026-11-21T08:00:00.0001Z","until":"2026-11-22T09:00:00+01:00","dry_run":true}"#
        let order = try ReplayRequest(JSONDocument(parsing: body).root, at: Self.now)
        #expect(order.span == ReplaySpan(from: Self.now - 86_400_000 + 1, until: Self.now))
        #expect(order.isDryRun)
    }

    /// 2026-11-22T08:00:00Z.
    private static let now: UInt64 = 1_795_334_400_000
}
