import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore
@testable import ServiceBase

@Suite("Waiting for signals", .requiresServers, .timeLimit(.minutes(3)))
struct WaitForSignalTests {
    private static let wait =
        #"{"name":"paid","action_key":"flow.wait_for_signal","input":{"type":"order.paid","match":{"/data/order":"{{ signal.data.k }}"},"within":"2h"}}"#
    private static let pause = #"{"name":"pause","action_key":"flow.delay","input":{"for":"1h"}}"#
    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"sum":"{{ steps.paid.output.data.sum }}"}}"#

    private static func definition(_ steps: String...) -> String {
        #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
    }

    /// Processes a payment as a batch of its own.
    @discardableResult
    private func pay(
        _ data: String,
        type: String = "order.paid",
        tenant: String = "acme",
        _ desk: AdmissionDesk
    ) async throws -> IncomingSignal {
        let signal = try Fixtures.signal(type, tenant: tenant, data: data)
        _ = try await desk.processor().process([signal])
        return signal
    }

    private func kept(_ desk: AdmissionDesk) async throws -> Int {
        try await desk.engine.texts("SELECT signal_id::text FROM engine.awaited_signals").count
    }

    @Test("of the runs that wait, a signal wakes those whose values it has, and they read it")
    func met() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.wait, Self.after))
            try await desk.send(#"{"k":"one"}"#, #"{"k":"two"}"#)
            let runs = try await desk.ids()
            #expect(try await desk.due() == ["false", "false"])
            try await pay(#"{"order":"three","sum":1}"#, desk)
            try await pay(#"{"order":"two"}"#, type: "order.sent", desk)
            try await pay(#"{"order":"two"}"#, tenant: "other", desk)
            #expect(try await desk.due() == ["false", "false"])
            try await pay(#"{"order":"two","sum":5}"#, desk)
            #expect(try await desk.due() == ["false", "true"])
            let ended = try await desk.goOn(runs[1])
            #expect(ended.status == .succeeded)
            #expect(ended.steps[1].output == Array(#"{"sum":5}"#.utf8))
            #expect(try await desk.goOn(runs[0]).status == .waiting)
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.step_waits") == [runs[0]])
            #expect(try await kept(desk) == 0)
        }
    }

    @Test(
        "Steps of flow.wait_for_signal see a signal that came since the run has begun; one from before does not count"
    )
    func earlier() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.pause, Self.wait, Self.after))
            try await pay(#"{"order":"one","sum":1}"#, desk)
            try await desk.send(#"{"k":"one"}"#, #"{"k":"two"}"#)
            let runs = try await desk.ids()
            try await pay(#"{"order":"two","sum":2}"#, desk)
            try await pay(#"{"order":"two","sum":3}"#, desk)
            #expect(try await kept(desk) == 2)
            #expect(try await desk.due() == ["false", "false"])
            for run in runs { #expect(try await desk.goOn(run, after: .seconds(3_600)).status == .waiting) }
            #expect(try await desk.due() == ["false", "true"])
            let ended = try await desk.goOn(runs[1])
            #expect(ended.steps[2].output == Array(#"{"sum":2}"#.utf8))
        }
    }

    @Test("a run that gets there while the signal is processed meets it, whichever comes first")
    func race() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.pause, Self.wait))
            let count = 12
            for number in 0..<count { try await desk.send(#"{"k":\#(number)}"#) }
            let runs = try await desk.ids()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, run) in runs.enumerated() {
                    group.addTask { try await desk.goOn(run, after: .seconds(3_600)) }
                    group.addTask { _ = try await pay(#"{"order":\#(number)}"#, desk) }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.due() == Array(repeating: "true", count: count))
            for run in runs { #expect(try await desk.goOn(run).status == .succeeded) }
        }
    }

    @Test(
        "a step that begins while a signal is processed meets it: whoever comes second waits for the first",
        arguments: [true, false]
    )
    func meeting(stepIsFirst: Bool) async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.pause, Self.wait))
            try await desk.send(#"{"k":"one"}"#)
            let run = try await desk.ids()[0]
            // Both lanes are open from here on.
            try await desk.engine.lanes.transaction { _ in try await desk.engine.lanes.transaction { _ in } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await desk.engine.database.withTransaction { transaction in
                    // Transactions of lanes come as far as their last statement, and no further.
                    try await transaction.execute(.simple("SELECT FROM engine.lanes FOR UPDATE"))
                    for (number, isStep) in [stepIsFirst, !stepIsFirst].enumerated() {
                        group.addTask {
                            if isStep {
                                _ = try await desk.goOn(run, after: .seconds(3_600))
                            } else {
                                _ = try await pay(#"{"order":"one"}"#, desk)
                            }
                        }
                        try await eventually("it waits") { try await waiting(desk) == number + 1 }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.due() == ["true"])
            #expect(try await desk.goOn(run).status == .succeeded)
        }
    }

    /// How many sessions wait for a lock.
    private func waiting(_ desk: AdmissionDesk) async throws -> Int {
        try await desk.engine.texts(
            """
            SELECT DISTINCT l.pid::text FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.datname = current_database()
            """
        )
        .count
    }

    @Test("a redelivered signal and one that is aimed at an automation wake nobody")
    func others() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.wait))
            let early = try await pay(#"{"order":"one"}"#, desk)
            try await desk.send(#"{"k":"one"}"#)
            _ = try await desk.processor().process([early])
            let aimed = AimedEvent(
                signalID: UUIDv7.make(),
                source: "/batuta/manual",
                target: .id(UUIDv7.make()),
                origin: AimedEvent.Origin(
                    type: "manual",
                    actor: AuditActor(type: .user, id: "olga"),
                    traceparent: nil,
                    time: .now()
                )
            )
            .event(type: "order.paid", data: Array(#"{"order":"one"}"#.utf8))
            let signal = try IncomingSignal(try JSONDocument(parsing: aimed).root, tenant: "acme")
            _ = try await desk.processor().process([signal])
            #expect(try await desk.due() == ["false"])
        }
    }

    @Test("when the time is over the step fails, and a canceled run waits for nothing")
    func timeLimit() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.wait))
            try await desk.send(#"{"k":"one"}"#, #"{"k":"two"}"#)
            let runs = try await desk.ids()
            let ended = try await desk.goOn(runs[0], after: .seconds(7_200))
            #expect(ended.status == .failed)
            let error = try JSONDocument(parsing: try #require(ended.steps[0].error)).root
            #expect(error["code"]?.stringValue == "timed_out")
            try await desk.ask(desk.control.cancel, run: runs[1])
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.step_waits").isEmpty)
        }
    }

    @Test("what was kept goes when no run can come to wait for it any more")
    func retention() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition(Self.pause, Self.wait))
            try await desk.send(#"{"k":"one"}"#)
            try await pay(#"{"order":"one"}"#, desk)
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.awaited_signals SET received_at = received_at - interval '2 hours';
                UPDATE engine.step_waits SET opened_at = opened_at - interval '3 hours'
                """
            )
            _ = try await desk.engine.database.execute(RowRetention.awaitedSignals.deletion(of: 100))
            #expect(try await kept(desk) == 1)
            let run = try #require(try await desk.ids().first)
            try await desk.goOn(run, after: .seconds(3_600))
            #expect(try await desk.due() == ["true"])
            _ = try await desk.engine.database.execute(RowRetention.awaitedSignals.deletion(of: 100))
            #expect(try await kept(desk) == 0)
        }
    }

    @Test("values are compared as JSON: 1 is 1.0, and neither is a text; what is no scalar is found by nothing")
    func comparison() throws {
        let shape = SignalShape(type: "x", paths: ["/data/b", "/data/a"])
        #expect(shape.paths == ["/data/a", "/data/b"])
        #expect(SignalShape(type: "x", pathsText: shape.pathsText) == shape)
        func key(_ data: String) throws -> String? {
            shape.correlation(of: try JSONDocument(parsing: #"{"data":\#(data)}"#).root)
        }
        #expect(try key(#"{"a":1,"b":"x"}"#) == key(#"{"b":"x","a":1.0}"#))
        #expect(try key(#"{"a":"1","b":"x"}"#) != key(#"{"a":1,"b":"x"}"#))
        #expect(try key(#"{"a":"x","b":"1"}"#) != key(#"{"a":"1","b":"x"}"#))
        #expect(try key(#"{"a":{},"b":"x"}"#) == nil)
        #expect(try key(#"{"a":1}"#) == nil)
    }

    @Test(
        "what is waited for is stated strictly",
        arguments: [
            ("{}", "type", "required"), (#"{"type":"a.*"}"#, "type", "invalid_value"),
            (#"{"type":"{{ signal.type }}"}"#, "type", "invalid_value"),
            (#"{"type":"a","match":[]}"#, "match", "invalid_type"),
            (#"{"type":"a","match":{"data":1}}"#, "match", "invalid_value"),
            (#"{"type":"a","match":{"":1}}"#, "match", "invalid_value"),
            (#"{"type":"a","match":{"/data":{}}}"#, "match", "invalid_value"),
            (#"{"type":"a","within":"1 h"}"#, "within", "invalid_duration"),
        ]
    )
    func faults(input: String, member: String, code: String) throws {
        let faults = SignalWait.faults(of: try JSONDocument(parsing: input).root)
        #expect(faults.map(\.member) == [member] && faults.map(\.code) == [code], "\(faults)")
    }
}
