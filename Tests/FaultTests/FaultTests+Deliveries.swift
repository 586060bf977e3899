import FaultSuite
import JSON
import Messaging
import Synchronization
import TestSupport
import Testing

extension FaultTests {
    @Test(arguments: [Topology.engineSignals, Topology.auditWriter])
    func messagesComeTwiceAndOutOfOrder(_ subscription: Topology.Subscription) async throws {
        try await underLoad("twice") { load in
            let queue = subscription.queue.name
            let exchange = try #require(subscription.bindings.first).exchange
            let interposer = try await Interposer(
                installation,
                target: queue,
                exchange: exchange,
                generator: .random(for: "messagesComeTwiceAndOutOfOrder")
            )
            try await interposer.during {
                try await installation.broker.unbind(queue: queue, from: exchange)
                try await load.acknowledges(150)
                try await eventually("many messages were shuffled", within: .seconds(60)) { interposer.count >= 40 }
                try await installation.broker.bind(queue: queue, to: exchange)
            }
            try await interposer.remove()
            #expect(interposer.count >= 40, "messages went through the interposer")
        }
    }

    @Test func poisonAmongSignals() async throws {
        // Poison that names a service's user comes further than one that the broker's administrator signs.
        try await installation.broker.allowImpersonation()
        try await underLoad("poison") { load in
            for (number, body) in Poison.bodies.enumerated() {
                try await inject(Poison(number, of: "batuta.signals.accepted", body: body), into: "engine.signals")
                try await load.acknowledges(5)
            }
        }
        #expect(try await installation.restartEnded() == [], "no service ends because of a message")
    }

    @Test func poisonAmongEntries() async throws {
        // Poison that names a service's user comes further than one that the broker's administrator signs.
        try await installation.broker.allowImpersonation()
        try await underLoad("poison") { load in
            for (number, body) in Poison.bodies.enumerated() {
                try await inject(Poison(number, of: "batuta.audit.entries", body: body), into: "audit.writer")
                try await load.acknowledges(5)
            }
        }
        #expect(try await installation.restartEnded() == [], "no service ends because of a message")
    }

    private func inject(_ poison: Poison, into queue: String) async throws {
        installation.poison.withLock { _ = $0.insert(poison.messageID) }
        try await installation.broker.publish(poison.body, to: queue, properties: poison.properties)
    }
}
