import RabbitMQ
import ServiceLifecycle
import Testing

extension BrokerTests {
    @Suite("The consumer", .serialized)
    struct Consumer {
        private func consumer(
            _ queue: QueueDeclaration,
            _ bindings: [Binding] = [],
            prefetch: Int = 500,
            declaresQueue: Bool = true
        ) throws -> RabbitMQConsumer {
            RabbitMQConsumer(
                configuration: try Broker.configuration(),
                queue: queue,
                bindings: bindings,
                prefetch: prefetch,
                declaresQueue: declaresQueue,
                logger: Broker.logger
            )
        }

        private func publisher() throws -> RabbitMQPublisher {
            RabbitMQPublisher(configuration: try Broker.configuration(), logger: Broker.logger)
        }

        private func messages(_ range: Range<Int>, to queue: String) -> [OutgoingMessage] {
            range.map {
                OutgoingMessage(
                    exchange: "",
                    routingKey: queue,
                    properties: MessageProperties(messageID: "m\($0)"),
                    body: Array("\($0)".utf8)
                )
            }
        }

        /// Takes exactly so many deliveries.
        private func take(_ count: Int, from consumer: RabbitMQConsumer) async throws -> [Delivery] {
            var deliveries: [Delivery] = []
            while deliveries.count < count,
                let batch = try await consumer.nextBatch(maximum: count - deliveries.count)
            {
                deliveries += batch
            }
            return deliveries
        }

        @Test("hands out fewer deliveries than a caller wants when no more come")
        func fewerThanWanted() async throws {
            let queue = Broker.queue("fewer")
            let (consumer, publisher) = (try consumer(queue), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                let waiting = Task { try await consumer.nextBatch(maximum: 50, minimum: 40) }
                _ = try await publisher.publish(contentsOf: messages(0..<3, to: queue.name))
                let batch = try #require(try await waiting.value)
                consumer.acknowledge(batch + (try await take(3 - batch.count, from: consumer)))
                // The same for a caller that comes when they are there already.
                _ = try await publisher.publish(contentsOf: messages(3..<6, to: queue.name))
                let late = try #require(try await consumer.nextBatch(maximum: 50, minimum: 40))
                let all = late + (try await take(3 - late.count, from: consumer))
                #expect(all.map(\.properties.messageID) == ["m3", "m4", "m5"])
            }
        }

        @Test("hands out no more than the prefetch before something is settled")
        func prefetch() async throws {
            let queue = Broker.queue("prefetch")
            let (consumer, publisher) = (try consumer(queue, prefetch: 10), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<50, to: queue.name))
                let first = try await take(10, from: consumer)
                let more = Task { try await consumer.nextBatch(maximum: 50) }
                // A second round trip through the same queue's broker would have brought more, were it allowed to.
                _ = try await publisher.publish(contentsOf: messages(50..<60, to: queue.name))
                consumer.acknowledge(Array(first.prefix(3)))
                var next = try #require(try await more.value)
                next += try await take(3 - next.count, from: consumer)
                #expect(next.map(\.properties.messageID) == ["m10", "m11", "m12"])
            }
        }

        @Test("acknowledges many at once, in any order, and only those")
        func acknowledgesMany() async throws {
            let queue = Broker.queue("many")
            let publisher = try publisher()
            try await running(publisher) {
                let first = try consumer(queue)
                try await running(first) {
                    try await eventually("a subscription") { first.isConsuming }
                    _ = try await publisher.publish(contentsOf: messages(0..<300, to: queue.name))
                    let all = try await take(300, from: first)
                    first.acknowledge(all.filter { $0.token.tag % 2 == 0 }.shuffled())
                    first.acknowledge(all[98], multiple: true)
                    first.acknowledge(all[98])
                    first.acknowledge(all[0])
                    first.reject(all[298], requeue: false)
                    await first.stop()
                }
                let second = try consumer(queue)
                try await running(second) {
                    // Tags 1 to 99 and all even ones are gone, and 299 was thrown away.
                    let rest = try await take(99, from: second)
                    let expected = (0..<300).filter { ($0 + 1) % 2 == 1 && $0 + 1 > 99 && $0 + 1 != 299 }
                    #expect(Set(rest.compactMap(\.properties.messageID)) == Set(expected.map { "m\($0)" }))
                    #expect(rest.allSatisfy { $0.isRedelivered })
                    second.acknowledge(rest)
                    await second.stop()
                }
            }
        }

        @Test("counts the deliveries of a quorum queue")
        func deliveryCount() async throws {
            let queue = Broker.quorumQueue("count")
            let (consumer, publisher) = (try consumer(queue), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<1, to: queue.name))
                for count in 0..<3 {
                    let delivery = try #require(try await take(1, from: consumer).first)
                    #expect(delivery.deliveryCount == count && delivery.isRedelivered == (count > 0))
                    consumer.reject(delivery, requeue: true)
                }
            }
        }

        @Test("declares its queue again when it is deleted under it")
        func deletedQueue() async throws {
            let queue = Broker.queue("deleted")
            let (consumer, publisher) = (try consumer(queue), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<5, to: queue.name))
                let stale = try await take(5, from: consumer)
                try await Broker.control("delete_queue", queue.name)
                var outcome = PublishOutcome.returned(code: 0, text: "")
                try await eventually("the queue") {
                    outcome = try await publisher.publish(messages(5..<6, to: queue.name)[0])
                    return outcome == .confirmed
                }
                let fresh = try await take(1, from: consumer)
                #expect(fresh.first?.properties.messageID == "m5")
                #expect(fresh.first?.token.epoch != stale.first?.token.epoch)
                consumer.acknowledge(stale)
                consumer.acknowledge(fresh)
                _ = try await publisher.publish(contentsOf: messages(6..<7, to: queue.name))
                #expect(try await take(1, from: consumer).first?.token.epoch == fresh.first?.token.epoch)
            }
        }

        @Test(
            "subscribes again when the broker has forgotten it without a word",
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func forgotten() async throws {
            let queue = QueueDeclaration.quorum(Broker.name("forgotten"))
            var configuration = try Broker.configuration()
            configuration.queueCheckInterval = .milliseconds(300)
            let consumer = RabbitMQConsumer(configuration: configuration, queue: queue, logger: Broker.logger)
            let publisher = try publisher()
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<1, to: queue.name))
                let first = try await take(1, from: consumer)
                consumer.acknowledge(first)
                let forgotten = try await Broker.control(
                    "eval",
                    """
                    Server = {list_to_atom("%2F_\(queue.name)"), node()},
                    {ok, {_, Consumers}, _} = ra:local_query(Server, fun rabbit_fifo:query_consumers/1),
                    Ids = maps:keys(Consumers),
                    [ra:process_command(Server, rabbit_fifo:make_checkout(Id, cancel, #{})) || Id <- Ids], length(Ids).
                    """
                )
                #expect(forgotten.contains("1"))
                _ = try await publisher.publish(contentsOf: messages(1..<4, to: queue.name))
                let later = try await take(3, from: consumer)
                #expect(later.map(\.properties.messageID) == ["m1", "m2", "m3"])
                #expect(later.first?.token.epoch != first.first?.token.epoch, "on another connection")
                consumer.acknowledge(later)
            }
            try await Broker.control("delete_queue", queue.name)
        }

        @Test(
            "drops the settling of deliveries from before a reconnection",
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func staleTags() async throws {
            let queue = Broker.queue("stale")
            let (consumer, publisher) = (try consumer(queue), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<20, to: queue.name))
                let stale = try await take(20, from: consumer)
                try await Broker.control("close_all_connections", "test")
                let again = try await take(20, from: consumer)
                #expect(again.map(\.properties.messageID) == stale.map(\.properties.messageID))
                #expect(again.allSatisfy { $0.isRedelivered })
                consumer.acknowledge(stale)
                for delivery in stale { consumer.reject(delivery, requeue: true) }
                consumer.acknowledge(again)
                _ = try await publisher.publish(contentsOf: messages(20..<21, to: queue.name))
                let last = try await take(1, from: consumer)
                #expect(last.first?.properties.messageID == "m20")
                #expect(last.first?.token.epoch == again.first?.token.epoch)
            }
        }

        @Test("gives back what is not handed out while it is paused")
        func pause() async throws {
            let queue = Broker.queue("pause")
            let (consumer, publisher) = (try consumer(queue, prefetch: 100), try publisher())
            try await running(consumer, publisher) {
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<100, to: queue.name))
                let held = try await take(10, from: consumer)
                consumer.pause()
                try await eventually("the pause") { !consumer.isConsuming }
                let other = try self.consumer(queue)
                let otherCount = try await running(other) {
                    let rest = try await take(90, from: other)
                    other.acknowledge(rest)
                    await other.stop()
                    return rest.count
                }
                #expect(otherCount == 90)
                consumer.acknowledge(held)
                consumer.resume()
                _ = try await publisher.publish(contentsOf: messages(100..<101, to: queue.name))
                #expect(try await take(1, from: consumer).first?.properties.messageID == "m100")
            }
        }

        @Test("lets what is handed out be settled after stop and on graceful shutdown")
        func drain() async throws {
            let queue = Broker.queue("drains")
            let (consumer, publisher) = (try consumer(queue, prefetch: 50), try publisher())
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: consumer)], logger: Broker.logger)
            )
            try await running(publisher) {
                async let run: Void = group.run()
                try await eventually("a subscription") { consumer.isConsuming }
                _ = try await publisher.publish(contentsOf: messages(0..<50, to: queue.name))
                let held = try await take(20, from: consumer)
                await consumer.stop()
                #expect(try await consumer.nextBatch(maximum: 1) == nil)
                await group.triggerGracefulShutdown()
                consumer.acknowledge(held)
                try await run
                #expect(consumer.status == .stopped(nil))
                let other = try self.consumer(queue)
                let rest = try await running(other) { try await take(30, from: other) }
                #expect(rest.map(\.properties.messageID) == (20..<50).map { "m\($0)" })
            }
        }

        @Test("waits for a queue that is not there yet, and says why")
        func missingQueue() async throws {
            let queue = Broker.queue("later")
            let (consumer, publisher) = (try consumer(queue, declaresQueue: false), try publisher())
            try await running(consumer, publisher) {
                try await eventually("the reason") {
                    guard case .disconnected(let error) = consumer.status else { return false }
                    return error.code == .notFound
                }
                let declaring = RabbitMQPublisher(
                    configuration: try Broker.configuration(),
                    logger: Broker.logger,
                    topology: [.queue(queue)]
                )
                try await running(declaring) { try await eventually("the queue") { declaring.isConnected } }
                _ = try await publisher.publish(contentsOf: messages(0..<1, to: queue.name))
                #expect(try await take(1, from: consumer).count == 1)
            }
        }

        @Test(
            "ends when it may not read the queue",
            .enabled(if: Broker.isControllable, "BATUTA_TEST_RABBITMQ_CTL names no rabbitmqctl")
        )
        func accessRefused() async throws {
            let user = Broker.name("reader")
            try await Broker.control("add_user", user, "secret")
            try await Broker.control("set_permissions", user, ".*", ".*", "^nothing$")
            var configuration = try Broker.configuration()
            configuration.user = user
            configuration.password = "secret"
            let consumer = RabbitMQConsumer(
                configuration: configuration,
                queue: Broker.queue("forbidden"),
                logger: Broker.logger
            )
            let waiting = Task { try await consumer.nextBatch(maximum: 1) }
            let error = await failure { try await consumer.run() }
            #expect(error?.code == .accessRefused)
            let told = await failure { try await waiting.value }
            #expect(told == error)
            try await Broker.control("delete_user", user)
        }

        @Test("answers requests over queues of its own, and learns at once that nobody serves")
        func requestReply() async throws {
            let replies = Broker.name("replies")
            let exchange = ExchangeDeclaration(name: "amq.direct", kind: .direct)
            let configuration = try Broker.configuration()
            let client = RabbitMQConsumer(
                configuration: configuration,
                queue: .exclusive(),
                bindings: [Binding(exchange: exchange.name, routingKey: replies)],
                exchanges: [exchange],
                logger: Broker.logger
            )
            let requests = Broker.name("requests")
            let server = try consumer(.autoDelete(requests), [Binding(exchange: exchange.name, routingKey: requests)])
            let publisher = try publisher()
            try await running(client, publisher) {
                var properties = MessageProperties()
                properties.replyTo = replies
                properties.isPersistent = false
                let request = OutgoingMessage(
                    exchange: exchange.name,
                    routingKey: requests,
                    properties: properties,
                    body: [1]
                )
                try await running(server) {
                    try await eventually("both sides") { client.isConsuming && server.isConsuming }
                    #expect(client.queueName?.hasPrefix("amq.gen") == true)
                    #expect(try await publisher.publish(request) == .confirmed)
                    let received = try #require(try await server.nextBatch(maximum: 1)?.first)
                    let address = try #require(received.properties.replyTo)
                    let reply = OutgoingMessage(exchange: exchange.name, routingKey: address, body: received.body)
                    #expect(try await publisher.publish(reply) == .confirmed)
                    for try await delivery in client.deliveries {
                        #expect(delivery.body == [1])
                        break
                    }
                    server.acknowledge(received)
                    await server.stop()
                }
                try await eventually("the return") {
                    try await publisher.publish(request) == .returned(code: 312, text: "NO_ROUTE")
                }
            }
        }

        @Test("can be cancelled while it waits")
        func cancelled() async throws {
            let consumer = try consumer(Broker.queue("idle"))
            try await running(consumer) {
                let waiting = Task { try await consumer.nextBatch(maximum: 1) }
                try await eventually("a subscription") { consumer.isConsuming }
                waiting.cancel()
                let error = await failure { try await waiting.value }
                #expect(error?.code == .cancelled)
            }
        }
    }
}
