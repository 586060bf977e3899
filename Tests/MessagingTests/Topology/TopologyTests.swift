import Crypto
import Foundation
import JSON
import Testing

@testable import Messaging

@Suite struct TopologyTests {
    @Test func thePasswordHashIsTheBrokersOwn() throws {
        // The worked example of RabbitMQ's documentation of password hashes.
        let hash = Topology.passwordHash(of: "test12", salt: [0x90, 0x8D, 0xC6, 0x0A])
        #expect(hash == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR")
    }

    @Test func theDefinitionsHoldNoPassword() throws {
        let passwords = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, "secret-\($0.rawValue)") })
        let bytes = Topology.definitions(virtualHost: "v", passwords: passwords)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("secret-"))
        let root = try JSONDocument(parsing: bytes).root
        #expect(root["users"]?.count == 5)
        #expect(root["permissions"]?.count == 5)
        #expect(root["topic_permissions"]?.count == 30)
        #expect(root["exchanges"]?.count == 7)
        #expect(root["vhosts"]?.count == 1)
        #expect(root["queues"] == nil)
    }

    @Test func aServiceWithoutAPasswordIsLeftOut() throws {
        let bytes = Topology.definitions(virtualHost: "v", passwords: [.audit: "x"])
        let root = try JSONDocument(parsing: bytes).root
        #expect(root["users"]?.elements.compactMap { $0["name"]?.stringValue } == ["batuta_audit"])
        #expect(root["permissions"]?.count == 1)
    }

    @Test func queuesAreWhatTheArchitectureSays() {
        #expect(Topology.engineSignals.queue.arguments["x-queue-type"] == "quorum")
        #expect(Topology.engineSignals.queue.arguments["x-delivery-limit"] == 50)
        #expect(Topology.auditWriter.queue.arguments["x-single-active-consumer"] == true)
        #expect(Topology.commands(to: .audit).bindings.map(\.routingKey) == ["audit.#"])
        #expect(Topology.requests(to: .engine).queue.isAutoDelete)
        #expect(!Topology.requests(to: .engine).queue.isDurable)
        #expect(Topology.replies(to: .gateway, instance: "i").queue.isExclusive)
        #expect(Topology.brokerUser(of: "engine") == "batuta_engine")
    }
}
