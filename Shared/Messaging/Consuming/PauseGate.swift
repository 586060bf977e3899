import Synchronization

/// Pauses a source while at least one of its workers waits for the infrastructure.
final class PauseGate: Sendable {
    private let source: any BatchSource
    private let waiting = Mutex(0)

    init(source: any BatchSource) {
        self.source = source
    }

    /// A worker begins to wait.
    func entered() {
        // Called under the lock, so that the last `resume` never overtakes the first `pause`.
        waiting.withLock { waiting in
            waiting += 1
            if waiting == 1 { source.pause() }
        }
    }

    /// A worker has got on.
    func left() {
        waiting.withLock { waiting in
            waiting -= 1
            if waiting == 0 { source.resume() }
        }
    }
}
