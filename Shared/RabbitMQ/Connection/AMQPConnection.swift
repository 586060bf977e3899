import CRabbitMQ

/// One connection with its one channel, over librabbitmq.
///
/// Everything here is called by the owner thread alone, and may block for no longer than the limits in the
/// configuration; a send that the peer does not read is ended by the watchdog.
final class AMQPConnection {
    private let handle: OpaquePointer
    private let arena: OpaquePointer
    private var decoder: FrameDecoder
    private let rpcTimeout: Duration
    private(set) var isClosed = false

    /// Opens socket, connection and channel.
    ///
    /// - Parameters:
    ///   - endpoint: The node to connect to.
    ///   - configuration: Credentials and limits.
    ///   - socketOpened: Told the descriptor as soon as there is one, for the watchdog.
    /// - Throws: `RabbitMQError`: `connectFailed`, `tls`, `authenticationFailed` or `accessRefused`.
    init(
        to endpoint: RabbitMQConfiguration.Endpoint,
        configuration: RabbitMQConfiguration,
        socketOpened: (Int32) -> Void
    ) throws(RabbitMQError) {
        guard let handle = crmq_create() else { throw RabbitMQError(.connectFailed, "out of memory") }
        guard let arena = crmq_arena_create() else {
            crmq_destroy(handle)
            throw RabbitMQError(.connectFailed, "out of memory")
        }
        self.handle = handle
        self.arena = arena
        decoder = FrameDecoder(maximumMessageSize: configuration.maximumMessageSize)
        rpcTimeout = configuration.rpcTimeout
        try Self.openSocket(handle, endpoint, configuration)
        socketOpened(crmq_socket(handle))
        try Self.logIn(handle, configuration, endpoint)
        try Self.check(crmq_open_channel(handle), "opening a channel")
    }

    deinit {
        crmq_arena_destroy(arena)
        crmq_destroy(handle)
    }

    var socket: Int32 { crmq_socket(handle) }
    /// The interval that was agreed on with the broker.
    var heartbeat: Duration { .seconds(Int(crmq_heartbeat(handle))) }
    /// Whether frames wait in memory, so that the socket's readiness says nothing.
    var hasBufferedInput: Bool { crmq_has_buffered_input(handle) }

    /// Takes the frames that have arrived, and serves heartbeats.
    ///
    /// - Returns: Whether there may be more.
    func receive(into events: inout [BrokerEvent], maximum: Int) throws(RabbitMQError) -> Bool {
        var frame = crmq_frame()
        for _ in 0..<maximum {
            let result = crmq_next_frame(handle, &frame)
            guard result.status != CRMQ_TIMEOUT else { return false }
            try Self.check(result, "reading from the broker")
            if let event = try decoder.decode(frame) { events.append(event) }
        }
        return true
    }

    /// Frees the frames taken so far; everything in them has been copied.
    func releaseBuffers() { crmq_release_buffers(handle) }

    /// Ends the connection by the protocol's rules, as far as the peer answers soon.
    func close(within limit: Duration) {
        guard !isClosed else { return }
        isClosed = true
        crmq_close(handle, Int32(limit.milliseconds))
    }

    /// Answers the broker's own closing.
    func confirmClose() {
        isClosed = true
        crmq_confirm_close(handle)
    }

    /// Runs sends so that they leave in full packets.
    func batched(_ body: () throws(RabbitMQError) -> Void) throws(RabbitMQError) {
        crmq_cork(handle, true)
        defer { crmq_cork(handle, false) }
        try body()
    }
}

// MARK: - Sending

extension AMQPConnection {
    func publish(_ message: OutgoingMessage) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        var properties = encoder.properties(message.properties)
        let exchange = encoder.bytes(message.exchange)
        let routingKey = encoder.bytes(message.routingKey)
        guard !encoder.isOutOfMemory else { throw RabbitMQError(.connectionLost, "out of memory") }
        let result = message.body.withUnsafeBytes { body in
            let bytes = crmq_bytes(bytes: body.baseAddress, length: body.count)
            return crmq_publish(handle, exchange, routingKey, message.isMandatory, &properties, bytes)
        }
        try Self.check(result, "publishing")
    }

    func acknowledge(_ acknowledgement: DeliveryLedger.Acknowledgement) throws(RabbitMQError) {
        try Self.check(crmq_acknowledge(handle, acknowledgement.tag, acknowledgement.multiple), "acknowledging")
    }

    func reject(tag: UInt64, requeue: Bool) throws(RabbitMQError) {
        try Self.check(crmq_reject(handle, tag, requeue), "rejecting")
    }

    func sendConsume(queue: String, consumerTag: String, isExclusive: Bool) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        let result = crmq_send_consume(handle, encoder.bytes(queue), encoder.bytes(consumerTag), isExclusive)
        try Self.check(result, "subscribing")
    }

    func sendCancel(consumerTag: String) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        try Self.check(crmq_send_cancel(handle, encoder.bytes(consumerTag)), "cancelling")
    }

    /// Asks how many messages a queue has ready; the channel is closed where there is no such queue.
    func sendCheck(queue: String) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        try Self.check(crmq_send_check(handle, encoder.bytes(queue)), "asking for a queue")
    }
}

// MARK: - Set-up

extension AMQPConnection {
    func selectConfirms() throws(RabbitMQError) {
        try Self.check(crmq_select_confirms(handle), "asking for confirms")
    }

    func setPrefetch(_ count: Int) throws(RabbitMQError) {
        try Self.check(crmq_set_prefetch(handle, UInt16(clamping: count)), "setting the prefetch")
    }

    /// Declares topology, in order.
    func declare(_ topology: [TopologyDeclaration]) throws(RabbitMQError) {
        for declaration in topology {
            switch declaration {
            case .exchange(let exchange): try declare(exchange)
            case .queue(let queue): _ = try declare(queue)
            case .binding(let binding): try bind(binding)
            }
        }
    }

    func declare(_ exchange: ExchangeDeclaration) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        let result = crmq_declare_exchange(
            handle,
            encoder.bytes(exchange.name),
            encoder.bytes(exchange.kind.rawValue),
            exchange.isPassive,
            exchange.isDurable,
            exchange.isAutoDelete,
            exchange.isInternal,
            encoder.table(exchange.arguments)
        )
        try Self.check(result, "declaring exchange \(exchange.name)")
    }

    /// Declares a queue.
    ///
    /// - Returns: Its name, which the broker may have chosen.
    func declare(_ queue: QueueDeclaration) throws(RabbitMQError) -> String {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        var name = crmq_bytes()
        let result = crmq_declare_queue(
            handle,
            encoder.bytes(queue.name),
            queue.isPassive,
            queue.isDurable,
            queue.isExclusive,
            queue.isAutoDelete,
            encoder.table(queue.arguments),
            &name
        )
        try Self.check(result, "declaring queue \(queue.name)")
        return String(name) ?? queue.name
    }

    func bind(_ binding: Binding) throws(RabbitMQError) {
        defer { crmq_arena_reset(arena) }
        var encoder = FieldEncoder(arena: arena)
        let result = crmq_bind_queue(
            handle,
            encoder.bytes(binding.queue),
            encoder.bytes(binding.exchange),
            encoder.bytes(binding.routingKey),
            encoder.table(binding.arguments)
        )
        try Self.check(result, "binding queue \(binding.queue) to \(binding.exchange)")
    }
}

// MARK: - Opening

extension AMQPConnection {
    private static func openSocket(
        _ handle: OpaquePointer,
        _ endpoint: RabbitMQConfiguration.Endpoint,
        _ configuration: RabbitMQConfiguration
    ) throws(RabbitMQError) {
        var caFile: String?
        var client: RabbitMQConfiguration.ClientCertificate?
        if case .verify(let file, let certificate) = configuration.tls { (caFile, client) = (file, certificate) }
        let timeout = Int32(configuration.connectTimeout.milliseconds)
        let result = withOptionalCString(caFile) { caFile in
            withOptionalCString(client?.certificateFile) { certificateFile in
                withOptionalCString(client?.keyFile) { keyFile in
                    var tls = crmq_tls(
                        enabled: caFile != nil,
                        ca_file: caFile,
                        certificate_file: certificateFile,
                        key_file: keyFile
                    )
                    return crmq_open_socket(handle, endpoint.host, Int32(endpoint.port), &tls, timeout)
                }
            }
        }
        try check(result, "connecting to \(endpoint)", otherwise: .connectFailed)
    }

    private static func logIn(
        _ handle: OpaquePointer,
        _ configuration: RabbitMQConfiguration,
        _ endpoint: RabbitMQConfiguration.Endpoint
    ) throws(RabbitMQError) {
        let result = configuration.virtualHost.withCString { virtualHost in
            configuration.user.withCString { user in
                configuration.password.withCString { password in
                    configuration.connectionName.withCString { connectionName in
                        "batuta".withCString { product in
                            var login = crmq_login(
                                virtual_host: virtualHost,
                                user: user,
                                password: password,
                                connection_name: connectionName,
                                product: product,
                                heartbeat_seconds: Int32(clamping: configuration.heartbeat.components.seconds),
                                login_timeout_ms: Int32(configuration.rpcTimeout.milliseconds),
                                rpc_timeout_ms: Int32(configuration.rpcTimeout.milliseconds)
                            )
                            return crmq_log_in(handle, &login)
                        }
                    }
                }
            }
        }
        // While logging in, 403 is about the credentials; it is about rights only later.
        guard result.status != CRMQ_BROKER_EXCEPTION || result.code != 403 else {
            throw RabbitMQError(.authenticationFailed, "\(endpoint) refused user \(configuration.user)")
        }
        try check(result, "logging in to \(endpoint)", otherwise: .connectFailed)
    }

    /// Turns a failed call into an error.
    static func check(
        _ result: crmq_result,
        _ activity: @autoclosure () -> String,
        otherwise code: RabbitMQError.Code = .connectionLost
    ) throws(RabbitMQError) {
        guard result.status != CRMQ_OK else { return }
        let text = String(result.text) ?? ""
        switch Int(result.status) {
        case CRMQ_BROKER_EXCEPTION:
            let error = RabbitMQError(replyCode: result.code, text: text)
            throw RabbitMQError(error.code, "\(activity()): \(error.message)")
        case CRMQ_TLS_ERROR:
            throw RabbitMQError(.tls, "\(activity()): \(text)")
        default:
            throw RabbitMQError(code, "\(activity()): \(text)")
        }
    }
}

private func withOptionalCString<Result>(
    _ text: String?,
    _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
