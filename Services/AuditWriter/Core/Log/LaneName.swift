/// Names a lane: its producer, and the epoch that tells it from the producer's earlier ones.
package struct LaneName: Hashable, Sendable {
    /// `service/replica/lane`.
    package let producer: String
    package let epoch: Int64

    package init(producer: String, epoch: Int64) {
        self.producer = producer
        self.epoch = epoch
    }
}
