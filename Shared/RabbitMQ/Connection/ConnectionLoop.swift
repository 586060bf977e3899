import CRabbitMQ
import Logging

/// The owner thread's work: connect, serve, and connect again.
struct ConnectionLoop: Sendable {
    let configuration: RabbitMQConfiguration
    let client: any ConnectionClient
    let wake: WakeUp
    let post: Watchdog.Post
    let logger: Logger

    /// How many frames are taken before what they caused is sent.
    private static let framesPerRound = 512

    /// Runs until the client is finished or an error ends it.
    func run() {
        Watchdog.shared.add(post)
        let error = runConnections()
        Watchdog.shared.remove(post)
        client.ended(error)
    }

    private func runConnections() -> RabbitMQError? {
        var machine = ConnectionStateMachine(
            endpoints: configuration.endpoints.count,
            backoff: configuration.backoff,
            firstEndpoint: Int.random(in: 0..<max(1, configuration.endpoints.count))
        )
        var action = machine.started()
        while true {
            switch action {
            case .connect(let endpoint):
                do throws(RabbitMQError) {
                    try serve(configuration.endpoints[endpoint], &machine)
                    action = machine.stopRequested()
                } catch {
                    log(error, endpoint: configuration.endpoints[endpoint])
                    action = machine.failed(error, at: .now, jitter: .random(in: 0...1))
                    client.connectionLost(error)
                }
            case .wait(let until):
                guard !client.isFinished(connected: false, at: .now) else {
                    action = machine.stopRequested()
                    continue
                }
                idle(until: until)
                action = machine.clockAdvanced(to: .now)
            case .stop(let error):
                return error
            }
        }
    }

    private func log(_ error: RabbitMQError, endpoint: RabbitMQConfiguration.Endpoint) {
        let metadata: Logger.Metadata = [
            "amqp.endpoint": "\(endpoint)",
            "amqp.connection": "\(configuration.connectionName)",
            "error": "\(error)",
        ]
        if error.isRetryable {
            logger.warning("The broker connection is not usable; trying again", metadata: metadata)
        } else {
            logger.error("The broker refuses this client", metadata: metadata)
        }
    }

    /// Waits without a connection; callers still meet their deadlines.
    private func idle(until: ContinuousClock.Instant) {
        while true {
            let now = ContinuousClock.now
            client.clockAdvanced(to: now)
            guard now < until, !client.isFinished(connected: false, at: now) else { return }
            let next = min(until, client.nextDeadline(connected: false) ?? until)
            if crmq_wait(-1, wake.descriptor, timeout(from: now, to: next)) != 0 { wake.clear() }
        }
    }

    private func serve(
        _ endpoint: RabbitMQConfiguration.Endpoint,
        _ machine: inout ConnectionStateMachine
    ) throws(RabbitMQError) {
        defer { post.setSocket(-1) }
        let connection = try guarded(within: configuration.connectTimeout + configuration.rpcTimeout * 3) {
            () throws(RabbitMQError) in
            try AMQPConnection(to: endpoint, configuration: configuration) { post.setSocket($0) }
        }
        let epoch = machine.epoch + 1
        do throws(RabbitMQError) {
            // Each question has its own limit; this is the limit of the whole set-up.
            try guarded(within: configuration.rpcTimeout * 6) { () throws(RabbitMQError) in
                try client.connectionOpened(connection, epoch: epoch)
            }
            _ = machine.connected(at: .now)
            logger.debug(
                "Connected to the broker",
                metadata: ["amqp.endpoint": "\(endpoint)", "amqp.connection": "\(configuration.connectionName)"]
            )
            try exchangeFrames(on: connection)
        } catch {
            // A peer that has answered with a refusal will also answer the goodbye; any other is not waited for.
            if error.isPoliteRefusal { guardedClose(connection, within: .seconds(1)) }
            throw error
        }
        guardedClose(connection, within: min(configuration.rpcTimeout, .seconds(2)))
    }

    private func exchangeFrames(on connection: AMQPConnection) throws(RabbitMQError) {
        let pulse = max(connection.heartbeat / 2, .milliseconds(500))
        var lastReceive = ContinuousClock.now
        var isReadable = true
        var events: [BrokerEvent] = []
        while true {
            let now = ContinuousClock.now
            client.clockAdvanced(to: now)
            try client.checkLimits(at: now)
            var hasMore = false
            if isReadable || connection.hasBufferedInput || lastReceive + .seconds(1) <= now {
                lastReceive = now
                hasMore = try receive(on: connection, into: &events)
            }
            let isSending = try guarded(within: configuration.confirmTimeout) { () throws(RabbitMQError) in
                try client.transmit(connection, at: now)
            }
            guard !client.isFinished(connected: true, at: now) else { return }
            let limit = min(now + pulse, client.nextDeadline(connected: true) ?? now + pulse)
            let isBusy = hasMore || isSending || connection.hasBufferedInput
            let ready = Int(crmq_wait(connection.socket, wake.descriptor, isBusy ? 0 : timeout(from: .now, to: limit)))
            if ready & CRMQ_READY_WAKE != 0 { wake.clear() }
            isReadable = ready & CRMQ_READY_SOCKET != 0 || ready == 0
        }
    }

    private func receive(
        on connection: AMQPConnection,
        into events: inout [BrokerEvent]
    ) throws(RabbitMQError) -> Bool {
        events.removeAll(keepingCapacity: true)
        var failure: RabbitMQError?
        var hasMore = false
        do throws(RabbitMQError) {
            // Serving heartbeats may send, and so block.
            hasMore = try guarded(within: configuration.confirmTimeout) { () throws(RabbitMQError) in
                try connection.receive(into: &events, maximum: Self.framesPerRound)
            }
        } catch {
            failure = error
        }
        connection.releaseBuffers()
        // What arrived before the failure counts: it may hold the confirms, or the reason.
        if case .connectionClosed? = events.last { connection.confirmClose() }
        if !events.isEmpty { try client.received(events, at: .now) }
        if let failure { throw failure }
        return hasMore
    }

    private func guardedClose(_ connection: AMQPConnection, within limit: Duration) {
        Watchdog.shared.enter(post, limit: .now + limit * 2)
        connection.close(within: limit)
        post.leave()
    }

    private func guarded<Result>(
        within limit: Duration,
        _ body: () throws(RabbitMQError) -> Result
    ) throws(RabbitMQError) -> Result {
        Watchdog.shared.enter(post, limit: .now + limit)
        defer { post.leave() }
        return try body()
    }

    /// The time to wait, rounded up so that a deadline is over when the wait is.
    private func timeout(from now: ContinuousClock.Instant, to limit: ContinuousClock.Instant) -> Int32 {
        Int32(max(0, now.duration(to: limit).milliseconds))
    }
}

extension RabbitMQError {
    /// Whether the peer is alive and only said no.
    fileprivate var isPoliteRefusal: Bool {
        switch code {
        case .accessRefused, .notFound, .preconditionFailed, .resourceLocked, .consumerCancelled, .nacked: true
        default: false
        }
    }
}
