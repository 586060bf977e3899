import Foundation
import JSON
import Messaging
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    /// `batuta broker action`, as an operator runs it; answers what it printed.
    private func broker(_ action: String, _ more: String...) async throws -> String {
        let address = try ServerAddress(installation.servers.rabbitMQManagement)
        return try await Command.check(
            try BuildFolder.executable("batuta"),
            [
                "broker", "action", "--management-url",
                "http://\(address.user):\(address.password)@\(address.authorities[0])", "--virtual-host",
                installation.broker.virtualHost, "--tenant", Installation.tenant, "--action", action,
            ] + more
        )
    }

    private func attempts(_ code: String, of automation: String) async throws -> Int {
        try await installation.count(
            """
            SELECT count(*) FROM engine.step_attempts a JOIN engine.automation_runs r USING (run_id)
            WHERE r.automation_key = '\(automation)' AND a.error::json ->> 'code' = '\(code)'
            """
        )
    }

    private func register(_ action: String, for key: String) async throws {
        let created = try await installation.client().send(
            .PUT,
            "/admin/api/actions/\(action)",
            headers: ["Content-Type": "application/json"],
            body: Array(
                #"{"title":"A","input_schema":true,"output_schema":true,"timeout":"30d","endpoint":{"amqp":{}}}"#.utf8
            )
        )
        #expect(created.status == 201, "\(created.text)")
        try await automate(
            key,
            on: key,
            steps: """
                {"name":"level","action_key":"\(action)","input":{"n":"{{ signal.data.n }}"},
                 "retry":{"max_attempts":100,"delay":"200ms","backoff":"constant"}}
                """
        )
    }

    /// The way of an action over the broker: no queue, a full one, a service that answers, engines that are killed between
    /// call and answer; and every run succeeds once.
    @Test func aServiceAnswersOverTheBroker() async throws {
        let key = Self.unique("broker")
        let action = "\(key).level"
        try await register(action, for: key)
        let early = try await installation.post(id: "\(key)-0", type: key, data: #"{"n":0}"#)
        try await eventually("there is no service") {
            try await attempts("no_service", of: key)
        } until: {
            $0 > 0
        }

        let vhost = installation.broker.virtualHost
        let policy = #"{"max-length":1}"#
        try await installation.broker.control(
            ["set_policy", "-p", vhost, "--apply-to", "queues", "small", #"^actions\."#, policy]
        )
        let printed = try await broker(action)
        let password = try #require(printed.split(separator: "\n").last.map(String.init))
        #expect(try await !broker(action).contains("password"), "an existing user keeps its password")
        var signals = [early.signalID]
        for number in 1...6 {
            let receipt = try await installation.post(id: "\(key)-\(number)", type: key, data: #"{"n":\#(number)}"#)
            signals.append(receipt.signalID)
        }
        try await eventually("the queue is full") {
            try await attempts("queue_full", of: key)
        } until: {
            $0 > 0
        }
        try await installation.broker.control(["clear_policy", "-p", vhost, "small"])

        let service = try AnsweringService(installation, action: action, password: password)
        try await service.run {
            for signal in signals {
                let run = try await run(of: signal, "succeeded")
                #expect(run["steps"]?[0]?["output"]?["key"]?.stringValue == "\(run["run_id"]?.stringValue ?? "").level")
            }
            service.holdBack()
            let slow = try await installation.post(id: "\(key)-slow", type: key, data: #"{"n":7}"#)
            try await eventually("the service has the call") {
                service.heldBack
            } until: {
                $0 == 1
            }
            for replica in installation.replicas(of: .engine) { try await replica.kill() }
            try await service.answerHeldBack()
            try await installation.restartEnded()
            let run = try await run(of: slow.signalID, "succeeded")
            #expect(run["steps"]?[0]?["attempt"]?.int64Value == 1)
            #expect(service.keys.count == signals.count + 1 && Set(service.keys).count == service.keys.count)
        }
        let removed = try await broker(action, "--remove")
        #expect(removed.contains("are gone"))
        #expect(try await !installation.broker.queueNames().contains("actions.\(Installation.tenant).\(action)"))
        #expect(try await broker(action, "--remove") == removed)
    }
}
