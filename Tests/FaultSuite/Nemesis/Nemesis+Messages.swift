import Messaging
import TestSupport

extension Nemesis {
    func beginWithNetwork(_ fault: Fault) throws -> Undo? {
        guard let network else {
            throw TestSupportError(.noServers, "This system has no proxies between services and servers.")
        }
        let all = FaultSetting.services
        switch fault {
        case .latency(let milliseconds):
            network.change(all) { $0.latency = .milliseconds(milliseconds) }
        case .resets(let share):
            network.change(all) { $0.resetsPerThousand = share }
        case .loseAnswers(let service):
            network.change([service]) { $0.losesAnswers = true }
        case .slowReads(let rate):
            network.change(all) { $0.bytesPerSecond = rate }
        default:
            break
        }
        return { network.clear() }
    }

    func beginWithDeliveries(_ entry: FaultSchedule.Entry) async throws -> Undo? {
        switch entry.fault {
        case .shuffle(let queue):
            try await shuffle(queue, for: entry.lasting)
            return nil
        case .redeliver(let queue):
            return try await redeliver(queue)
        default:
            break
        }
        return {}
    }

    private func shuffle(_ queue: String, for lasting: Duration) async throws {
        let broker = installation.broker
        let exchange = queue == "audit.writer" ? Topology.auditExchange : Topology.signalsExchange
        let interposer = try await Interposer(
            installation,
            target: queue,
            exchange: exchange,
            generator: SeededGenerator(seed: seed)
        )
        try await interposer.during(within: FaultRound.patience) {
            try await broker.unbind(queue: queue, from: exchange)
            try await Task.sleep(for: lasting)
            try await broker.bind(queue: queue, to: exchange)
        }
        try await interposer.remove()
        journal.note("\(interposer.count) messages came twice and shuffled")
    }

    /// Lets the consumers of a queue sleep until deliveries lie with them, and closes their connections under them.
    private func redeliver(_ queue: String) async throws -> Undo {
        let consumers = installation.replicas(of: queue == "audit.writer" ? .auditWriter : .engine)
        for consumer in consumers { consumer.process?.pause() }
        return {
            do {
                try await installation.broker.closeConnections()
            } catch {
                for consumer in consumers { consumer.process?.resume() }
                throw error
            }
            for consumer in consumers { consumer.process?.resume() }
        }
    }
}
