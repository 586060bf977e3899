import Foundation
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("The system's resolver")
struct ResolverTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    @Test("finds all addresses of this machine")
    func localhost() throws {
        let found = try NameLookup.addresses(of: "localhost")
        #expect(found.contains(IPAddress(v4: 0x7F00_0001)) || found.contains(IPAddress(v6: 1)))
        #expect(Set(found).count == found.count)
    }

    @Test("says when there is no such name")
    func noName() async throws {
        let resolver = SystemResolver(limit: .seconds(20), group: group)
        let error = await #expect(throws: OutboundError.self) { try await resolver.addresses(of: "nothing.invalid") }
        // Without a name server the answer is that none can be asked.
        #expect(error?.code == .nameNotFound || error?.code == .resolutionFailed)
        #expect(error?.outcome == .notSent)
        await resolver.shutdown()
    }

    @Test("keeps nobody waiting longer than the limit, and begins nothing that nobody waits for")
    func limit() async throws {
        let gate = Gate()
        let asked = Asked()
        let resolver = SystemResolver(threadCount: 1, limit: .milliseconds(100), group: group) { name in
            asked.add(name)
            gate.wait()
            return []
        }
        for name in ["first", "second", "third"] {
            let error = await #expect(throws: OutboundError.self) { try await resolver.addresses(of: name) }
            #expect(error?.code == .resolutionFailed)
            #expect(error?.isRetryable == true)
        }
        gate.open()
        try await eventually("the thread is free") { (try? await resolver.addresses(of: "last")) != nil }
        #expect(asked.names.filter { $0 != "last" } == ["first"])
        await resolver.shutdown()
    }

    @Test("lets a cancelled caller go")
    func cancelled() async throws {
        let gate = Gate()
        let resolver = SystemResolver(threadCount: 1, limit: .seconds(600), group: group) { _ in
            gate.wait()
            return []
        }
        let task = Task { try await resolver.addresses(of: "held") }
        try await eventually("the thread is at it") { gate.waiterCount == 1 }
        task.cancel()
        let error = await #expect(throws: OutboundError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        gate.open()
        await resolver.shutdown()
        let later = await #expect(throws: OutboundError.self) { try await resolver.addresses(of: "later") }
        #expect(later?.code == .shutDown)
    }
}

/// The names that were asked for.
private final class Asked: Sendable {
    private let list = Mutex<[String]>([])

    var names: [String] { list.withLock { $0 } }

    func add(_ name: String) { list.withLock { $0.append(name) } }
}

/// What a thread waits at until it is opened.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let waiters = Atomic(0)

    var waiterCount: Int { waiters.load(ordering: .acquiring) }

    func wait() {
        waiters.add(1, ordering: .acquiringAndReleasing)
        semaphore.wait()
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}
