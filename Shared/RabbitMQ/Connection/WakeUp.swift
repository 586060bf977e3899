import CRabbitMQ
import Glibc
import Synchronization

/// Wakes the owner thread from its wait; any number of signals before it wakes cost one write.
final class WakeUp: Sendable {
    let descriptor: Int32
    private let isSignalled = Atomic(false)

    init() { descriptor = crmq_wake_create() }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        crmq_wake_signal(descriptor)
    }

    /// Called by the woken thread before it looks at what it was woken for, so that no later signal is lost.
    func clear() {
        crmq_wake_clear(descriptor)
        isSignalled.store(false, ordering: .sequentiallyConsistent)
    }
}
