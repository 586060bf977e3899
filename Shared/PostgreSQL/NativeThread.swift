import CPostgreSQL
import Glibc

/// A thread of the operating system, for what must not run on the cooperative pool.
enum NativeThread {
    // Sound: created by one thread and consumed by the one that it starts, with pthread_create between.
    private final class Box: @unchecked Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs the body on a thread of its own that nobody joins; false when the system has none left.
    static func detach(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(
            Box {
                // Signals belong to the threads that the process keeps for them.
                var signals = sigset_t()
                sigfillset(&signals)
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                pthread_setname_np(pthread_self(), String(name.prefix(15)))
                body()
            }
        )
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        guard status == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
