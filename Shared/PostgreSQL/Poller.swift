import CPostgreSQL
import Glibc

/// An epoll set with an eventfd that other threads ring.
// Sound: both are descriptors, which the kernel guards; they are closed when the last holder is gone.
final class Poller: Sendable {
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: EPOLLIN.rawValue)
        static let write = Interest(rawValue: EPOLLOUT.rawValue)
    }

    struct Event {
        var key: UInt64
        var isReadable: Bool
        var isWritable: Bool
    }

    private static let bellKey = UInt64.max
    private let epoll: Int32
    private let bell: Int32

    init() throws(PostgresError) {
        epoll = epoll_create1(O_CLOEXEC)
        guard epoll >= 0 else { throw PostgresError(.system, "epoll_create1 failed with errno \(errno)") }
        bell = eventfd(0, O_CLOEXEC | O_NONBLOCK)
        guard bell >= 0 else { throw PostgresError(.system, "eventfd failed with errno \(errno)") }
        guard watch(bell, key: Self.bellKey, .read) else {
            throw PostgresError(.system, "epoll_ctl failed with errno \(errno)")
        }
    }

    deinit {
        Glibc.close(epoll)
        if bell >= 0 { Glibc.close(bell) }
    }

    func ring() {
        var one: UInt64 = 1
        // A full counter rings as well, so a refused write loses nothing.
        _ = Glibc.write(bell, &one, 8)
    }

    /// Begins to report on a descriptor; false when the system refuses.
    func watch(_ descriptor: Int32, key: UInt64, _ interest: Interest) -> Bool {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: key))
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    func change(_ descriptor: Int32, key: UInt64, _ interest: Interest) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: key))
        _ = epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
    }

    func forget(_ descriptor: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    /// Waits for readiness or the bell, at most the given time, and puts what happened into `events`.
    func wait(_ events: inout [Event], timeout: Duration?) {
        events.removeAll(keepingCapacity: true)
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { buffer in
            let count = epoll_wait(epoll, buffer.baseAddress, 64, timeout.map(Self.milliseconds) ?? -1)
            guard count > 0 else { return }
            for event in buffer[..<Int(count)] {
                guard event.data.u64 != Self.bellKey else {
                    var value: UInt64 = 0
                    _ = Glibc.read(bell, &value, 8)
                    continue
                }
                // Errors and hang-ups are seen by reading.
                let flags = event.events
                events.append(
                    Event(
                        key: event.data.u64,
                        isReadable: flags & ~EPOLLOUT.rawValue != 0,
                        isWritable: flags & EPOLLOUT.rawValue != 0
                    )
                )
            }
        }
    }

    /// Rounded up, so that a wait does not end just before what it waits for.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        guard duration > .zero else { return 0 }
        guard duration < .seconds(3600) else { return 3_600_000 }
        return Int32(duration / .milliseconds(1)) + 1
    }
}
