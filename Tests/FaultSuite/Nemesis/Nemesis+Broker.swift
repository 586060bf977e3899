import TestSupport

extension Nemesis {
    func beginWithBroker(_ entry: FaultSchedule.Entry) async throws -> Undo? {
        switch entry.fault {
        case .restartNodes(let nodes):
            let numbers = try await numbers(nodes)
            try await servers.stopNodes(numbers)
            return { try await servers.startNodes(numbers) }
        case .killNodes(let nodes):
            let numbers = try await numbers(nodes)
            try await servers.killNodes(numbers)
            return { try await servers.startNodes(numbers) }
        case .rollNodes:
            for number in servers.nodes {
                try await servers.stopNodes([number])
                try await load.acknowledges(10, within: FaultRound.patience)
                try await servers.startNodes([number])
                try await servers.awaitWhole()
            }
        case .isolate(let node):
            let number = try await number(node)
            try await servers.cut(number)
            return { try await servers.join(number) }
        case .flap(let node):
            try await flap(try await number(node), for: entry.lasting)
            return nil
        case .moveLeaders:
            try await moveLeaders()
        case .closeConnections:
            try await installation.broker.closeConnections()
        case .deleteQueue(let queue):
            try await installation.broker.deleteQueue(queue)
        case .memoryAlarm:
            try await installation.broker.control(["set_vm_memory_high_watermark", "0"])
            return { try await installation.broker.control(["set_vm_memory_high_watermark", "0.4"]) }
        case .diskAlarm:
            try await installation.broker.control(["set_disk_free_limit", "1000000GB"])
            return { try await installation.broker.control(["set_disk_free_limit", "50MB"]) }
        default:
            break
        }
        return {}
    }

    /// Cuts a node off and connects it again, for a second each, as long as the fault lasts.
    private func flap(_ number: Int, for lasting: Duration) async throws {
        let end = ContinuousClock.now + lasting
        while ContinuousClock.now < end {
            try await servers.cut(number)
            try await Task.sleep(for: .seconds(1))
            try await servers.join(number)
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Makes another node the leader of each queue that work comes through.
    private func moveLeaders() async throws {
        for queue in ["engine.signals", "audit.writer"] {
            guard let leader = try await installation.broker.leader(of: queue), let at = leader.lastIndex(of: ".")
            else { continue }
            let number = Int(leader[leader.index(after: at)...]) ?? 1
            let other = leader[...at] + "\(number % servers.nodes.count + 1)"
            let name = "\(installation.broker.virtualHost)_\(queue)"
            let call = "ra:transfer_leadership({'\(name)', '\(leader)'}, {'\(name)', '\(other)'})."
            journal.note("\(queue) moves from \(leader): \(try await installation.broker.control(["eval", call]))")
        }
    }

    private func numbers(_ nodes: [Fault.Node]) async throws -> [Int] {
        var numbers: [Int] = []
        for node in nodes { numbers.append(try await number(node)) }
        return numbers
    }

    /// Which node it is now; a node's name ends with its number.
    private func number(_ node: Fault.Node) async throws -> Int {
        switch node {
        case .number(let number): return number
        case .leader(let queue): return try await leader(of: queue)
        case .follower(let queue): return try await leader(of: queue) % servers.nodes.count + 1
        }
    }

    private func leader(of queue: String) async throws -> Int {
        let leader = try await eventually("\(queue) has a leader", within: .seconds(60), every: .milliseconds(200)) {
            try await installation.broker.leader(of: queue)
        } until: {
            $0 != nil
        }
        let number = leader?.split(separator: ".").last.flatMap { Int($0) } ?? 1
        journal.note("\(queue) is led by node \(number)")
        return number
    }
}
