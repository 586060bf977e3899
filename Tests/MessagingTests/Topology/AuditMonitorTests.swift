import Domain
import Testing

@testable import Messaging

@Suite("A monitor of the audit log") struct AuditMonitorTests {
    @Test("names, binding and bounds follow from tenant, name and services")
    func names() throws {
        let tenant = try #require(Tenant("acme-2"))
        let monitor = try #require(AuditMonitor(tenant: tenant, name: "alerts-1"))
        #expect(monitor.queueName == "monitor.acme-2.alerts-1")
        #expect(monitor.brokerUser == "batuta_monitor_acme-2_alerts-1")
        let subscription = monitor.subscription
        #expect(subscription.queue.name == monitor.queueName)
        #expect(
            subscription.queue.arguments == [
                "x-queue-type": "quorum", "x-overflow": "drop-head", "x-max-length": 10_000,
                "x-max-length-bytes": 67_108_864, "x-expires": 604_800_000, "x-delivery-limit": 50,
            ]
        )
        #expect(subscription.bindings.map(\.queue) == [monitor.queueName])
        #expect(subscription.bindings.map(\.exchange) == ["batuta.audit"])
        #expect(subscription.bindings.map(\.routingKey) == ["acme-2.*"])
        let some = try #require(AuditMonitor(tenant: tenant, name: "alerts-1", services: [.jobs, .engine]))
        #expect(some.subscription.bindings.map(\.routingKey) == ["acme-2.engine", "acme-2.jobs"])
    }

    @Test("it may read its queue, by its whole name, and nothing else")
    func permissions() throws {
        let tenant = try #require(Tenant("acme"))
        let permissions = BrokerPermissions(of: try #require(AuditMonitor(tenant: tenant, name: "alerts")))
        #expect(permissions.user == "batuta_monitor_acme_alerts")
        #expect(permissions.read == #"^monitor\.acme\.alerts$"#)
        #expect(permissions.write == "^$" && permissions.configure == "^$")
        #expect(
            Set(permissions.topics.map(\.exchange))
                == Set(Topology.exchanges.filter { $0.kind == .topic }.map(\.name))
        )
        #expect(permissions.topics.allSatisfy { $0.write == "^$" && $0.read == "^$" })
    }

    @Test(
        "anything else is no name",
        arguments: [
            "", "Alerts", "1st", "-a", "a.b", "a_b", "a*", "#", "a b", "a\n", "ä", String(repeating: "a", count: 64),
        ]
    )
    func refused(name: String) throws {
        #expect(AuditMonitor(tenant: try #require(Tenant("acme")), name: name) == nil)
    }
}
