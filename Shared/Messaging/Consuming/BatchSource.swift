package import RabbitMQ

/// Where batches of deliveries come from, and where they are settled.
package protocol BatchSource: Sendable {
    /// Waits for so many deliveries, or for fewer that have waited long, and returns what has arrived; nil once nothing
    /// will come any more.
    func nextBatch(maximum: Int, minimum: Int) async throws -> [Delivery]?
    /// Settles deliveries for good.
    func acknowledge(_ deliveries: [Delivery])
    /// Takes nothing more from the queue for the time being.
    func pause()
    /// Takes from the queue again.
    func resume()
}

extension RabbitMQConsumer: BatchSource {}
