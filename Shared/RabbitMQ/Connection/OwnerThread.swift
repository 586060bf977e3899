import CRabbitMQ
import Glibc

/// An operating-system thread of our own: what the C library blocks is never a thread of the cooperative pool.
enum OwnerThread {
    private final class Entry {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a detached thread.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes, as the system shows it.
    ///   - body: What the thread does; it ends with it.
    /// - Returns: Whether the system could make one.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let entry = Unmanaged.passRetained(Entry(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, threadMain, entry.toOpaque())
        guard result == 0 else {
            entry.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        guard let raw else { return nil }
        let entry = Unmanaged<Entry>.fromOpaque(raw).takeRetainedValue()
        crmq_block_signals()
        crmq_name_thread(entry.name)
        entry.body()
        return nil
    }
}
