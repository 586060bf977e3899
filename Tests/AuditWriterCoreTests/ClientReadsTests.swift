import Contracts
import Domain
import JSON
import Messaging
import Synchronization
import Testing

@testable import AuditWriterCore

@Suite struct ClientReadsTests {
    @Test func letsInAsManyAsThereIsRoomFor() async throws {
        let reads = ClientReads(limit: 2, perTenant: 2)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let begun = Mutex(0)
        let slow = reads.admitting { _, _ in
            begun.withLock { $0 += 1 }
            for await _ in stream { break }
            return Reply(body: [])
        }
        let failing = reads.admitting { _, _ in throw Problem(.notFound) }
        let context = RequestContext(tenant: "acme", actor: AuditActor(type: .user, id: "test"), requestID: "r")
        let body = try JSONDocument(parsing: "{}")
        for _ in 1...3 {
            await #expect(throws: Problem(.notFound), "What fails leaves its place.") {
                try await failing(context, body)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...2 { group.addTask { _ = try await slow(context, body) } }
            while begun.withLock({ $0 }) < 2 { await Task.yield() }
            await #expect { try await failing(context, body) } throws: { ($0 as? Problem)?.code == .unavailable }
            let other = RequestContext(tenant: "other", actor: context.actor, requestID: "r")
            await #expect { try await failing(other, body) } throws: { ($0 as? Problem)?.code == .unavailable }
            continuation.finish()
            try await group.waitForAll()
        }
        await #expect(throws: Problem(.notFound)) { try await failing(context, body) }
    }

    @Test func oneTenantLeavesRoomForTheOthers() async throws {
        let reads = ClientReads(limit: 8)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let begun = Mutex(0)
        let slow = reads.admitting { _, _ in
            begun.withLock { $0 += 1 }
            for await _ in stream { break }
            return Reply(body: [])
        }
        let quick = reads.admitting { _, _ in Reply(body: []) }
        func context(_ tenant: String) -> RequestContext {
            RequestContext(tenant: tenant, actor: AuditActor(type: .user, id: "test"), requestID: "r")
        }
        let body = try JSONDocument(parsing: "{}")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...4 { group.addTask { _ = try await slow(context("greedy"), body) } }
            while begun.withLock({ $0 }) < 4 { await Task.yield() }
            await #expect { try await quick(context("greedy"), body) } throws: {
                ($0 as? Problem)?.code == .unavailable
            }
            _ = try await quick(context("acme"), body)
            for _ in 1...4 { group.addTask { _ = try await slow(context("acme"), body) } }
            while begun.withLock({ $0 }) < 8 { await Task.yield() }
            await #expect { try await quick(context("third"), body) } throws: {
                ($0 as? Problem)?.code == .unavailable
            }
            continuation.finish()
            try await group.waitForAll()
        }
        for _ in 1...9 { _ = try await quick(context("greedy"), body) }
    }

    @Test(arguments: [RequestName.checkpointsNewest, RequestName.proofsConsistency])
    func whoWatchesTheLogFindsAPlaceWhileItIsRead(_ watched: String) async throws {
        let gates = ReadGates(reading: 2, watching: 2)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let begun = Mutex(0)
        let slow = gates.admitting(RequestName.exportsBegin) { _, _ in
            begun.withLock { $0 += 1 }
            for await _ in stream { break }
            return Reply(body: [])
        }
        func context(_ tenant: String) -> RequestContext {
            RequestContext(tenant: tenant, actor: AuditActor(type: .user, id: "test"), requestID: "r")
        }
        let body = try JSONDocument(parsing: "{}")
        let list = gates.admitting(RequestName.entriesList) { _, _ in Reply(body: []) }
        let watch = gates.admitting(watched) { _, _ in Reply(body: []) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tenant in ["acme", "other"] { group.addTask { _ = try await slow(context(tenant), body) } }
            while begun.withLock({ $0 }) < 2 { await Task.yield() }
            await #expect { try await list(context("third"), body) } throws: {
                ($0 as? Problem)?.code == .unavailable
            }
            for tenant in ["acme", "other", "third"] { _ = try await watch(context(tenant), body) }
            continuation.finish()
            try await group.waitForAll()
        }
    }
}
