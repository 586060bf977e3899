import FaultInjection
import TestSupport

/// The faults that a class has in a setting, each with its parameters still open.
struct FaultMenu: Sendable {
    /// A fault whose parameters are still open, and for how many seconds it may last.
    struct Draw: Sendable {
        let lasting: ClosedRange<Double>
        let fault: @Sendable (inout SeededGenerator) -> Fault

        init(_ lasting: ClosedRange<Double>, _ fault: @escaping @Sendable (inout SeededGenerator) -> Fault) {
            self.lasting = lasting
            self.fault = fault
        }

        /// Draws the parameters, and how long it lasts.
        func callAsFunction(_ generator: inout SeededGenerator) -> (fault: Fault, lasting: Duration) {
            let fault = fault(&generator)
            return (fault, .milliseconds(Int(Double.random(in: lasting, using: &generator) * 1000)))
        }
    }

    let setting: FaultSetting

    /// The faults of a class; none where the setting does not allow any.
    func draws(of faultClass: FaultClass) -> [Draw] {
        switch faultClass {
        case .processes: processes
        case .pauses: pauses
        case .broker: setting.isCluster ? broker + brokerCluster : broker
        case .database: setting.isCluster ? database + databasePair : database
        case .network: setting.hasProxies ? network : []
        case .deliveries: deliveries
        case .clocks: setting.hasFakeClocks ? clocks : []
        case .rolling: rolling
        case .all: FaultClass.allCases.filter { $0 != .all }.flatMap(draws(of:))
        }
    }

    /// The points at which a service can be made to die.
    static let crashPoints: [SystemService: [CrashPoint]] = [
        .gateway: [.afterCommitBeforePublish, .afterPublishBeforeWatermark],
        .engine: [
            .afterDeliveryBeforeCommit, .afterCommitBeforePublish, .afterCommitBeforeAck, .afterPublishBeforeWatermark,
            .beforeEffect, .afterEffectBeforeRecord, .duringTakeover,
        ],
        .auditWriter: [
            .afterDeliveryBeforeCommit, .inAuditAppend, .afterCommitBeforeAck, .beforeCheckpointIsKept,
            .afterCheckpointIsKept,
        ],
    ]

    /// The quorum queues that work comes through.
    private static let queues = ["engine.signals", "audit.writer"]

    // MARK: - Services

    private var processes: [Draw] {
        FaultSetting.services.flatMap { service in
            let kill = Draw(0.2...3) { .kill(process(service, &$0)) }
            return [kill] + Self.crashPoints[service, default: []].map { crash(service, at: $0) }
        }
    }

    private func crash(_ service: SystemService, at point: CrashPoint) -> Draw {
        Draw(0.2...2) { generator in
            let arrival = point == .duringTakeover ? 1 : Int.random(in: 1...12, using: &generator)
            return .crash(process(service, &generator), at: point, arrival: arrival)
        }
    }

    private var pauses: [Draw] {
        // A lease lasts 8 seconds, and the broker gives a silent client up after 20.
        FaultSetting.services.map { service in
            Draw(setting.isShort ? 9...10 : 9...26) { .sleep(process(service, &$0)) }
        }
    }

    private var rolling: [Draw] {
        let all = FaultSetting.services.flatMap { service in
            (0..<setting.replicas).map { Fault.Process(service, $0) }
        }
        return [Draw(0...0) { .roll(all.shuffled(using: &$0)) }]
    }

    private var clocks: [Draw] {
        let jumps = [-86_400, -7_200, -3_600, -1, 1, 3_600, 7_200, 86_400]
        return FaultSetting.services.map { service in
            Draw(4...12) { .jump(process(service, &$0), seconds: one(of: jumps, &$0)) }
        }
    }

    // MARK: - Servers

    private var broker: [Draw] {
        let alarm = setting.isShort ? 2.0...4 : 3...20
        return [
            Draw(0...4) { _ in .killNodes(everyNode) },
            Draw(0...2) { _ in .restartNodes(everyNode) },
            Draw(1...4) { _ in .closeConnections },
            Draw(0...2) { .deleteQueue(one(of: Self.queues, &$0)) },
            Draw(0...2) { .deleteQueue(one(of: ["engine.requests", "audit.requests"], &$0)) },
            Draw(alarm) { _ in .memoryAlarm },
            Draw(alarm) { _ in .diskAlarm },
        ]
    }

    private var brokerCluster: [Draw] {
        [
            Draw(2...12) { .killNodes([.leader(of: one(of: Self.queues, &$0))]) },
            Draw(2...12) { .killNodes([.leader(of: one(of: Self.queues, &$0))]) },
            Draw(2...12) { .killNodes([.follower(of: one(of: Self.queues, &$0))]) },
            Draw(2...8) { .restartNodes([.leader(of: one(of: Self.queues, &$0))]) },
            Draw(1...8) { .killNodes(Array(everyNode.shuffled(using: &$0).prefix(2))) },
            Draw(0...0) { _ in .rollNodes },
            Draw(5...30) { .isolate(.leader(of: one(of: Self.queues, &$0))) },
            Draw(5...30) { .isolate(.follower(of: one(of: Self.queues, &$0))) },
            Draw(5...30) { .isolate(one(of: everyNode, &$0)) },
            Draw(8...16) { .flap(.leader(of: one(of: Self.queues, &$0))) },
            Draw(0...1) { _ in .moveLeaders },
        ]
    }

    private var database: [Draw] {
        let tables = ["gateway.lanes", "gateway.signal_keys", "engine.lanes", "engine.automation_runs", "audit.head"]
        return [
            Draw(2...6) { _ in .endSessions },
            Draw(0...0) { _ in .restartDatabase },
            Draw(0...4) { _ in .killDatabase },
            Draw(0...2) { _ in .killBackend },
            Draw(setting.isShort ? 2...4 : 5...30) { .lockTable(one(of: tables, &$0)) },
            Draw(2...6) { _ in .exhaustConnections },
        ]
    }

    private var databasePair: [Draw] {
        [
            Draw(0...4) { _ in .failOver },
            Draw(0...4) { _ in .failOver },
            // Longer than any request is waited for.
            Draw(11...35) { _ in .failOverLate },
            Draw(2...35) { _ in .stopStandby },
        ]
    }

    // MARK: - Between them

    private var network: [Draw] {
        [
            Draw(5...12) { _ in .latency(milliseconds: 200) },
            Draw(5...12) { _ in .resets(perThousand: 10) },
            Draw(2...12) { .loseAnswers(one(of: FaultSetting.services, &$0)) },
            Draw(5...12) { _ in .slowReads(bytesPerSecond: 20_000) },
        ]
    }

    private var deliveries: [Draw] {
        Self.queues.flatMap { queue in
            [
                Draw(2...8) { _ in .shuffle(queue: queue) },
                Draw(1...4) { _ in .redeliver(queue: queue) },
            ]
        }
    }

    // MARK: - Parameters

    private var everyNode: [Fault.Node] { (1...(setting.isCluster ? 3 : 1)).map { .number($0) } }

    private func process(_ service: SystemService, _ generator: inout SeededGenerator) -> Fault.Process {
        Fault.Process(service, Int.random(in: 0..<setting.replicas, using: &generator))
    }

    private func one<Element>(of elements: [Element], _ generator: inout SeededGenerator) -> Element {
        // No list here is empty.
        elements[Int.random(in: 0..<elements.count, using: &generator)]
    }
}
