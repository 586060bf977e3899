package import FaultInjection
package import TestSupport

/// One thing that is done to a running system, and undone afterwards.
package enum Fault: Hashable, Sendable {
    /// A process of a service, by the number of its replica, counted from 0.
    package struct Process: Hashable, Sendable, CustomStringConvertible {
        package var service: SystemService
        package var number: Int

        package init(_ service: SystemService, _ number: Int) {
            self.service = service
            self.number = number
        }

        package var description: String { "\(service.rawValue)-\(number + 1)" }
    }

    /// A node of the broker.
    package enum Node: Hashable, Sendable, CustomStringConvertible {
        /// By number, counted from 1.
        case number(Int)
        /// The one that leads a quorum queue when the fault begins.
        case leader(of: String)
        /// One that follows it.
        case follower(of: String)

        package var description: String {
            switch self {
            case .number(let number): "node \(number)"
            case .leader(let queue): "leader of \(queue)"
            case .follower(let queue): "follower of \(queue)"
            }
        }
    }

    // MARK: Processes

    case kill(Process)
    case crash(Process, at: CrashPoint, arrival: Int)
    case sleep(Process)
    /// The process starts again with a clock that jumps by so many seconds, and jumps back.
    case jump(Process, seconds: Int)
    /// Every process of every service is asked to end, and replaced, in this order.
    case roll([Process])

    // MARK: The broker

    /// Nodes are stopped in an orderly way, and started again.
    case restartNodes([Node])
    /// Nodes are killed at once, and started again.
    case killNodes([Node])
    /// Every node is restarted, one after another.
    case rollNodes
    /// A node is cut off from the others and from every client.
    case isolate(Node)
    /// The same, several times in a short while.
    case flap(Node)
    case moveLeaders
    case closeConnections
    case deleteQueue(String)
    case memoryAlarm
    case diskAlarm

    // MARK: The database

    case endSessions
    /// Stopped without a checkpoint, and started again.
    case restartDatabase
    /// Every process of the server is killed.
    case killDatabase
    /// One backend is killed, after which the server restarts itself.
    case killBackend
    case lockTable(String)
    case exhaustConnections
    /// The primary is killed, the standby promoted, and the old primary joins as the new standby.
    case failOver
    /// The standby goes away, then the primary is killed, and the standby is promoted with what it has.
    case failOverLate
    /// The standby is away for a while, so that no commit is acknowledged.
    case stopStandby

    // MARK: Between services and servers

    case latency(milliseconds: Int)
    /// So many of a thousand pieces of data end their connection instead of arriving.
    case resets(perThousand: Int)
    /// What the servers answer to one service is lost, while what it sends arrives.
    case loseAnswers(SystemService)
    case slowReads(bytesPerSecond: Int)

    // MARK: Deliveries

    /// What a queue gets comes twice and out of order.
    case shuffle(queue: String)
    /// What is delivered from a queue, and not yet acknowledged, is delivered once more.
    case redeliver(queue: String)
}

extension Fault {
    /// What is done, in one or two words.
    package var name: String {
        switch self {
        case .kill: "kill"
        case .crash: "crash"
        case .sleep: "sleep"
        case .jump: "clock jump"
        case .roll: "rolling restart"
        case .restartNodes: "restart nodes"
        case .killNodes: "kill nodes"
        case .rollNodes: "rolling restart of nodes"
        case .isolate: "isolate node"
        case .flap: "flapping node"
        case .moveLeaders: "move leaders"
        case .closeConnections: "close connections"
        case .deleteQueue: "delete queue"
        case .memoryAlarm: "memory alarm"
        case .diskAlarm: "disk alarm"
        case .endSessions: "end sessions"
        case .restartDatabase: "restart database"
        case .killDatabase: "kill database"
        case .killBackend: "kill backend"
        case .lockTable: "lock table"
        case .exhaustConnections: "exhaust connections"
        case .failOver: "fail over"
        case .failOverLate: "fail over to a standby that was away"
        case .stopStandby: "stop standby"
        case .latency: "latency"
        case .resets: "resets"
        case .loseAnswers: "lose answers"
        case .slowReads: "slow reads"
        case .shuffle: "shuffle"
        case .redeliver: "redeliver"
        }
    }

    /// What it is done to; empty where that goes without saying.
    package var target: String {
        switch self {
        case .kill(let process), .sleep(let process): "\(process)"
        case .crash(let process, let point, let arrival): "\(process) at \(point.rawValue):\(arrival)"
        case .jump(let process, let seconds): "\(process) by \(seconds) s"
        case .roll(let processes): processes.map(\.description).joined(separator: ", ")
        case .restartNodes(let nodes), .killNodes(let nodes): nodes.map(\.description).joined(separator: ", ")
        case .isolate(let node), .flap(let node): "\(node)"
        case .deleteQueue(let queue), .shuffle(let queue), .redeliver(let queue): queue
        case .lockTable(let table): table
        case .latency(let milliseconds): "\(milliseconds) ms"
        case .resets(let share): "\(share) in 1000"
        case .loseAnswers(let service): service.rawValue
        case .slowReads(let rate): "\(rate) bytes/s"
        case .rollNodes, .moveLeaders, .closeConnections, .memoryAlarm, .diskAlarm, .endSessions, .restartDatabase,
            .killDatabase, .killBackend, .exhaustConnections, .failOver, .failOverLate, .stopStandby:
            ""
        }
    }
}
