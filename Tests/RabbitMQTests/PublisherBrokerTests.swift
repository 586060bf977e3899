import Logging
import RabbitMQ
import ServiceLifecycle
import Testing

/// One suite for everything that needs a broker: some tests stop the whole of it for a moment.
@Suite(
    "With a broker",
    .serialized,
    .enabled(if: Broker.isThere, "BATUTA_TEST_RABBITMQ names no broker")
)
struct BrokerTests {}

extension BrokerTests {
    @Suite("The publisher", .serialized)
    struct Publisher {
        private func publisher(
            _ configuration: RabbitMQConfiguration,
            _ topology: [TopologyDeclaration] = []
        ) -> RabbitMQPublisher {
            RabbitMQPublisher(configuration: configuration, logger: Broker.logger, topology: topology)
        }

        private func message(_ queue: String, _ number: Int = 0, size: Int = 100) -> OutgoingMessage {
            OutgoingMessage(
                exchange: "",
                routingKey: queue,
                properties: MessageProperties(messageID: "m\(number)"),
                body: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
            )
        }

        /// Takes messages until there have been enough distinct ones.
        private func distinct(_ count: Int, from consumer: RabbitMQConsumer) async throws -> Set<String> {
            var seen: Set<String> = []
            while seen.count < count, let batch = try await consumer.nextBatch(maximum: 500) {
                for delivery in batch { seen.insert(delivery.properties.messageID ?? "") }
                consumer.acknowledge(batch)
            }
            return seen
        }

        @Test("confirms 20,000 messages", .timeLimit(.minutes(3)), arguments: [1, 1000])
        func confirms(window: Int) async throws {
            var configuration = try Broker.configuration()
            configuration.maximumOutstanding = window
            configuration.publishTimeout = .seconds(150)
            let queue = Broker.queue("confirms")
            let publisher = publisher(configuration, [.queue(queue)])
            let consumer = RabbitMQConsumer(configuration: configuration, queue: queue, logger: Broker.logger)
            try await running(publisher, consumer) {
                async let outcomes = publisher.publish(contentsOf: (0..<20_000).map { message(queue.name, $0) })
                let seen = try await distinct(20_000, from: consumer)
                #expect(seen.count == 20_000)
                let all = try await outcomes
                #expect(all.allSatisfy { $0 == .confirmed })
                #expect(publisher.outstandingCount == 0)
            }
        }

        @Test("tells that nobody takes a mandatory message, at once and for exactly that message")
        func returned() async throws {
            let queue = Broker.queue("returned")
            let publisher = publisher(try Broker.configuration(), [.queue(queue)])
            try await running(publisher) {
                let messages = (0..<300).map { message($0 % 3 == 1 ? "test.nobody" : queue.name, $0) }
                let outcomes = try await publisher.publish(contentsOf: messages)
                for (index, outcome) in outcomes.enumerated() {
                    guard index % 3 == 1 else {
                        #expect(outcome == .confirmed)
                        continue
                    }
                    guard case .returned(let code, let text) = outcome else {
                        Issue.record("message \(index) was not returned")
                        continue
                    }
                    #expect(code == 312 && text == "NO_ROUTE")
                }
                var optional = message("test.nobody")
                optional.isMandatory = false
                #expect(try await publisher.publish(optional) == .confirmed)
            }
        }

        @Test("says at the deadline that an exchange is missing, and lets others pass meanwhile")
        func missingExchange() async throws {
            var configuration = try Broker.configuration()
            configuration.backoff = ReconnectBackoff(initial: .milliseconds(20), maximum: .milliseconds(100))
            let queue = Broker.queue("missing")
            let publisher = publisher(configuration, [.queue(queue)])
            try await running(publisher) {
                let lost = OutgoingMessage(exchange: Broker.name("nowhere"), routingKey: "k", body: [])
                let refused = Task { try await publisher.publish(lost, deadline: .now + .seconds(2)) }
                let others = try await publisher.publish(contentsOf: (0..<50).map { message(queue.name, $0) })
                #expect(others.allSatisfy { $0 == .confirmed })
                let error = await failure { try await refused.value }
                #expect(error?.code == .notFound)
            }
        }

        @Test(
            "loses nothing when the broker closes its connections",
            .timeLimit(.minutes(2)),
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func closedConnections() async throws {
            var configuration = try Broker.configuration()
            configuration.publishTimeout = .seconds(60)
            let queue = Broker.queue("closed")
            let publisher = publisher(configuration, [.queue(queue)])
            let consumer = RabbitMQConsumer(configuration: configuration, queue: queue, logger: Broker.logger)
            try await running(publisher, consumer) {
                let isOver = Flag()
                let storm = Task {
                    defer { isOver.raise() }
                    for _ in 1...3 { try await Broker.control("close_all_connections", "test") }
                }
                let published = Task {
                    var count = 0
                    while count < 2_000 || !isOver.isRaised {
                        let outcomes = try await publisher.publish(
                            contentsOf: (count..<count + 40).map { message(queue.name, $0) }
                        )
                        #expect(outcomes.allSatisfy { $0 == .confirmed })
                        count += 40
                    }
                    return count
                }
                _ = try await storm.value
                let count = try await published.value
                #expect(try await distinct(count, from: consumer).count == count)
            }
        }

        @Test(
            "waits while the broker is blocked, and says so at the deadline",
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func blocked() async throws {
            let queue = Broker.queue("blocked")
            let publisher = publisher(try Broker.configuration(), [.queue(queue)])
            try await running(publisher) {
                #expect(try await publisher.publish(message(queue.name)) == .confirmed)
                try await Broker.control("set_vm_memory_high_watermark", "0")
                do {
                    let error = await failure {
                        for number in 0..<100 {
                            _ = try await publisher.publish(message(queue.name, number), deadline: .now + .seconds(2))
                        }
                    }
                    #expect(error?.code == .blocked)
                    #expect(publisher.status == .connected(isBlocked: true))
                    #expect(!publisher.send(message(queue.name)))
                }
                async let waiting = publisher.publish(message(queue.name, 101))
                try await Broker.control("set_vm_memory_high_watermark", "0.4")
                #expect(try await waiting == .confirmed)
                #expect(publisher.status == .connected(isBlocked: false))
            }
        }

        @Test(
            "tells a caller without rights at once, and serves the others",
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func accessRefused() async throws {
            let user = Broker.name("user")
            try await Broker.control("add_user", user, "secret")
            try await Broker.control("set_permissions", user, "^test\\.", "^test\\.allowed|^amq\\.default", ".*")
            var configuration = try Broker.configuration()
            configuration.user = user
            configuration.password = "secret"
            let queue = Broker.queue("access")
            let publisher = publisher(configuration, [.queue(queue)])
            try await running(publisher) {
                let forbidden = OutgoingMessage(exchange: "amq.topic", routingKey: "k", body: [1])
                let refused = Task { try await publisher.publish(forbidden) }
                let others = try await publisher.publish(contentsOf: (0..<50).map { message(queue.name, $0) })
                #expect(others.allSatisfy { $0 == .confirmed })
                let error = await failure { try await refused.value }
                #expect(error?.code == .accessRefused && error?.isRetryable == false)

                var lie = message(queue.name)
                lie.properties.userID = "somebody-else"
                let impostor = lie
                let lying = Task { try await publisher.publish(impostor) }
                let honest = try await publisher.publish(contentsOf: (0..<20).map { message(queue.name, $0) })
                #expect(honest.allSatisfy { $0 == .confirmed })
                let refusal = await failure { try await lying.value }
                #expect(refusal?.code == .preconditionFailed)
            }
            try await Broker.control("delete_user", user)
        }

        @Test("ends when the password is wrong, and tells its callers")
        func wrongPassword() async throws {
            var configuration = try Broker.configuration()
            configuration.password += "x"
            let publisher = publisher(configuration)
            let waiting = Task { try await publisher.publish(message("q")) }
            let error = await failure { try await publisher.run() }
            #expect(error?.code == .authenticationFailed)
            let told = await failure { try await waiting.value }
            #expect(told?.code == .authenticationFailed)
        }

        @Test("ends when what it declares exists with other arguments")
        func preconditionFailed() async throws {
            let queue = Broker.queue("differs")
            var differing = queue
            differing.arguments["x-max-length"] = 5
            let other = differing
            let first = publisher(try Broker.configuration(), [.queue(queue)])
            try await running(first) {
                try await eventually("a connection") { first.isConnected }
                let second = publisher(try Broker.configuration(), [.queue(other)])
                let error = await failure { try await second.run() }
                #expect(error?.code == .preconditionFailed)
                #expect(second.status == .stopped(error))
            }
        }

        @Test("finds the host that is there among those that are not")
        func unreachableHost() async throws {
            var configuration = try Broker.configuration()
            let queue = Broker.queue("hosts")
            configuration.endpoints.insert(.init(host: "127.0.0.1", port: try Proxy.freePort()), at: 0)
            configuration.endpoints.insert(.init(host: "no-such-host.invalid", port: 5672), at: 0)
            let publisher = publisher(configuration, [.queue(queue)])
            let outcome = try await running(publisher) { try await publisher.publish(message(queue.name)) }
            #expect(outcome == .confirmed)
        }

        @Test("publishes again on another connection when the broker falls silent")
        func confirmTimeout() async throws {
            var configuration = try Broker.configuration()
            let port = configuration.endpoints.first?.port ?? 0
            let proxy = try Proxy(target: port)
            configuration.endpoints = [.init(host: "127.0.0.1", port: proxy.port)]
            configuration.confirmTimeout = .seconds(2)
            let queue = Broker.queue("silent")
            let publisher = publisher(configuration, [.queue(queue)])
            try await running(publisher) {
                #expect(try await publisher.publish(message(queue.name)) == .confirmed)
                proxy.swallow()
                let outcomes = try await publisher.publish(contentsOf: (0..<100).map { message(queue.name, $0) })
                #expect(outcomes.allSatisfy { $0 == .confirmed })
                #expect(proxy.connectionCount >= 2)
            }
            proxy.stop()
        }

        @Test("gets out of a send that nobody reads, keeps deadlines meanwhile, and publishes elsewhere")
        func wedgedSend() async throws {
            var configuration = try Broker.configuration()
            let proxy = try Proxy(target: configuration.endpoints.first?.port ?? 0)
            configuration.endpoints = [.init(host: "127.0.0.1", port: proxy.port)]
            configuration.confirmTimeout = .seconds(2)
            let queue = Broker.queue("wedged")
            let publisher = publisher(configuration, [.queue(queue)])
            try await running(publisher) {
                #expect(try await publisher.publish(message(queue.name)) == .confirmed)
                proxy.stall()
                let batch = (0..<40).map { message(queue.name, $0, size: 1 << 20) }
                let large = Task { try await publisher.publish(contentsOf: batch) }
                try await eventually("messages in flight") { publisher.outstandingCount > 0 }
                let began = ContinuousClock.now
                let late = await failure {
                    try await publisher.publish(message(queue.name), deadline: .now + .milliseconds(300))
                }
                #expect(late?.code == .deadlineExceeded)
                #expect(began.duration(to: .now) < .milliseconds(1500))
                #expect(try await large.value.allSatisfy { $0 == .confirmed })
                #expect(proxy.connectionCount >= 2)
            }
            proxy.stop()
        }

        @Test("meets deadlines, cancellation and shutdown without a connection")
        func noBroker() async throws {
            var configuration = try Broker.configuration()
            configuration.endpoints = [.init(host: "127.0.0.1", port: try Proxy.freePort())]
            let publisher = publisher(configuration)
            let early = await failure {
                try await publisher.publish(message("q"), deadline: .now + .milliseconds(50))
            }
            #expect(early?.code == .deadlineExceeded)
            try await running(publisher) {
                let late = await failure {
                    try await publisher.publish(message("q"), deadline: .now + .milliseconds(300))
                }
                #expect(late?.code == .deadlineExceeded)
                #expect(!publisher.send(message("q")))
                let task = Task { try await publisher.publish(message("q")) }
                task.cancel()
                let cancelled = await failure { try await task.value }
                #expect(cancelled?.code == .cancelled)
            }
            let stopped = await failure { try await publisher.publish(message("q")) }
            #expect(stopped?.code == .stopped)
        }

        @Test("drains on graceful shutdown")
        func drain() async throws {
            let configuration = try Broker.configuration()
            let queue = Broker.queue("drain")
            let publisher = publisher(configuration, [.queue(queue)])
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: publisher)], logger: Broker.logger)
            )
            async let run: Void = group.run()
            try await eventually("a connection") { publisher.isConnected }
            async let outcomes = publisher.publish(contentsOf: (0..<5_000).map { message(queue.name, $0) })
            try await eventually("messages in flight") { publisher.outstandingCount > 0 }
            await group.triggerGracefulShutdown()
            try await run
            let all = try await outcomes
            #expect(all.allSatisfy { $0 == .confirmed })
            #expect(publisher.status == .stopped(nil))
        }

        @Test("carries bodies of every size and all properties", arguments: [0, 1, 131_064, 131_065, 262_128, 300_000])
        func bodies(size: Int) async throws {
            let configuration = try Broker.configuration()
            let queue = Broker.queue("bodies")
            let publisher = publisher(configuration, [.queue(queue)])
            let consumer = RabbitMQConsumer(configuration: configuration, queue: queue, logger: Broker.logger)
            var sent = message(queue.name, 7)
            sent.body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            sent.properties.contentType = "application/json"
            sent.properties.contentEncoding = ""
            sent.properties.correlationID = "c"
            sent.properties.replyTo = "r"
            sent.properties.type = "t"
            sent.properties.timestamp = 1_700_000_000
            sent.properties.expiration = "600000"
            sent.properties.appID = "batuta"
            sent.properties.headers = [
                "text": "grün", "number": .int64(.min), "yes": true, "real": .double(0.5), "raw": .bytes([0, 255]),
                "time": .timestamp(12), "list": .array(["a", 1, .table(["deep": .array([])])]), "none": .void,
            ]
            let message = sent
            try await running(publisher, consumer) {
                #expect(try await publisher.publish(message) == .confirmed)
                let delivery = try #require(try await consumer.nextBatch(maximum: 10)?.first)
                #expect(delivery.body == message.body)
                #expect(delivery.properties == message.properties)
                #expect(delivery.routingKey == queue.name && delivery.exchange.isEmpty && !delivery.isRedelivered)
            }
        }

        @Test("sends events without waiting")
        func events() async throws {
            let configuration = try Broker.configuration()
            let queue = Broker.queue("events")
            let publisher = publisher(configuration, [.queue(queue)])
            let consumer = RabbitMQConsumer(configuration: configuration, queue: queue, logger: Broker.logger)
            try await running(publisher, consumer) {
                try await eventually("a connection") { publisher.isConnected }
                for number in 0..<100 { #expect(publisher.send(message(queue.name, number))) }
                #expect(try await distinct(100, from: consumer).count == 100)
            }
        }

        @Test("refuses messages that break the protocol's limits")
        func invalid() async throws {
            let publisher = publisher(try Broker.configuration())
            var long = message(String(repeating: "k", count: 256))
            let tooLong = await failure { try await publisher.publish(long) }
            #expect(tooLong?.code == .invalidMessage)
            long = message("k")
            long.properties.headers["h"] = .string(String(repeating: "x", count: 100_000))
            let tooLarge = await failure { try await publisher.publish(long) }
            #expect(tooLarge?.code == .invalidMessage)
        }
    }
}
