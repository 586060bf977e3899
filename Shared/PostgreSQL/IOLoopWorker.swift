import CPostgreSQL
import DequeModule

/// The I/O thread's side: owns the links and waits for whatever comes first.
final class IOLoopWorker {
    private let loop: IOLoop
    private let delegate: any IOLoopDelegate
    private var links: [UInt64: Link] = [:]
    /// Connections that a thread of their own is making.
    private var opening: Set<UInt64> = []
    private var isStopping = false

    init(loop: IOLoop, delegate: any IOLoopDelegate) {
        self.loop = loop
        self.delegate = delegate
    }

    func run() {
        var events: [Poller.Event] = []
        var commands: Deque<IOLoop.Command> = []
        while !isStopping {
            loop.poller.wait(&events, timeout: nextTimeout())
            for event in events {
                links[event.key]?.becameReady(isReadable: event.isReadable, isWritable: event.isWritable)
            }
            loop.takeCommands(into: &commands)
            while let command = commands.popFirst() { run(command) }
            let now = ContinuousClock.now
            for link in links.values { link.tick(at: now) }
            if let deadline = delegate.nextDeadline(), now >= deadline { delegate.tick(at: now) }
            reportLost()
        }
        finish()
    }

    private func nextTimeout() -> Duration? {
        var next = delegate.nextDeadline()
        for link in links.values {
            guard let deadline = link.nextDeadline else { continue }
            next = next.map { min($0, deadline) } ?? deadline
        }
        return next.map { ContinuousClock.now.duration(to: $0) }
    }

    private func reportLost() {
        for (id, link) in links {
            guard let error = link.lostBecause else { continue }
            links[id] = nil
            delegate.linkLost(id, error)
        }
    }

    private func run(_ command: IOLoop.Command) {
        switch command {
        case .open(let id):
            open(id)
        case .opened(let id, let handle):
            guard opening.remove(id) != nil else { return PQfinish(handle.pointer) }
            links[id] = makeLink(id, handle)
            delegate.linkOpened(id)
        case .openFailed(let id, let error):
            guard opening.remove(id) != nil else { return }
            delegate.linkFailed(id, error)
        case .submit(let id, let operation):
            guard let link = links[id] else {
                return operation.resolve(.failure(Link.lostError), .broken)
            }
            link.submit(operation)
        case .cancel(let id, let operation):
            links[id]?.cancel(operation, .cancellation)
        case .cancelFinished(let id):
            links[id]?.cancelFinished()
        case .close(let id):
            opening.remove(id)
            links.removeValue(forKey: id)?.lose(PostgresError(.connectionLost, "the connection was closed"))
        case .lookAtClock:
            break
        case .stop:
            isStopping = true
        }
    }

    private func open(_ id: UInt64) {
        opening.insert(id)
        let loop = loop
        let isRunning = NativeThread.detach(name: "postgres-open") {
            switch Connector.connect(loop.configuration) {
            case .success(let handle):
                if !loop.post(.opened(id, handle)) { PQfinish(handle.pointer) }
            case .failure(let error):
                loop.post(.openFailed(id, error))
            }
        }
        guard !isRunning else { return }
        opening.remove(id)
        delegate.linkFailed(id, PostgresError(.system, "no thread to connect with"))
    }

    private func makeLink(_ id: UInt64, _ handle: ConnectionHandle) -> Link {
        let loop = loop
        return Link(id: id, owning: handle, configuration: loop.configuration, poller: loop.poller) { request in
            let isRunning = NativeThread.detach(name: "postgres-cancel") {
                // It opens a connection of its own, blocks, and says in a text what went wrong; a cancel request
                // that is lost is repeated, so the text helps nobody.
                var text: [CChar] = Array(repeating: 0, count: 256)
                PQcancel(request.pointer, &text, Int32(text.count))
                PQfreeCancel(request.pointer)
                loop.post(.cancelFinished(id))
            }
            guard !isRunning else { return }
            PQfreeCancel(request.pointer)
            loop.post(.cancelFinished(id))
        }
    }

    private func finish() {
        let error = PostgresError(.shutdown, "the database client is shut down")
        for link in links.values { link.lose(error) }
        links.removeAll()
        for command in loop.stopped() {
            switch command {
            case .opened(_, let handle): PQfinish(handle.pointer)
            case .submit(_, let operation): operation.resolve(.failure(error), .broken)
            case .open, .openFailed, .cancel, .cancelFinished, .close, .lookAtClock, .stop: break
            }
        }
    }
}
