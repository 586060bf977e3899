import FaultSuite
import Foundation
import TestSupport

/// The rounds that an environment asks for.
struct FaultRunner: Sendable {
    private let servers: FaultServers
    private let rounds: Int
    private let seed: UInt64
    private let faultClass: FaultClass?
    private let goesOn: Bool
    private let output: URL
    private let clock: FakeClock?
    private let commit: String

    /// The faults of one round.
    private static let length = 4

    init(environment: [String: String]) throws {
        func refuse(_ text: String) -> TestSupportError { TestSupportError(.notStarted, text) }
        guard let found = TestServers(environment: environment) else {
            throw refuse("the servers' addresses are not in the environment; `make fault` starts them")
        }
        servers = FaultServers(cluster: found)
        guard let rounds = Int(environment["BATUTA_FAULT_ROUNDS"] ?? "50"), rounds > 0 else {
            throw refuse("BATUTA_FAULT_ROUNDS is no number above 0")
        }
        self.rounds = rounds
        let text = environment["BATUTA_FAULT_SEED"] ?? ""
        guard let seed = text.isEmpty ? UInt64(UInt32.random(in: .min ... .max)) : UInt64(text) else {
            throw refuse("BATUTA_FAULT_SEED is no number")
        }
        self.seed = seed
        let name = environment["BATUTA_FAULT_CLASS"] ?? ""
        faultClass = FaultClass(rawValue: name)
        guard name.isEmpty || faultClass != nil else {
            let known = FaultClass.allCases.map(\.rawValue).joined(separator: ", ")
            throw refuse("BATUTA_FAULT_CLASS is none of \(known)")
        }
        goesOn = environment["BATUTA_FAULT_GO_ON"] == "1"
        output = URL(fileURLWithPath: environment["BATUTA_FAULT_OUTPUT"] ?? found.directory)
        commit = environment["BATUTA_FAULT_COMMIT"] ?? "unknown"
        clock = try FakeClock(in: FileManager.default.temporaryDirectory)
    }

    /// Runs every round, or all up to the first in which something does not hold; answers whether everything held.
    func run() async throws -> Bool {
        if clock == nil {
            FaultConsole.say("There is no libfaketime here, so no clock jumps: install the package faketime.")
        }
        let classes = FaultSetting(isCluster: true, hasProxies: true, hasFakeClocks: clock != nil).classes
        guard faultClass.map(classes.contains) ?? true else { return true }
        let subject = FaultRecord.Subject(commit: commit, versions: try await versions())
        var records: [FaultRecord] = []
        for round in 0..<rounds {
            let seed = seed &+ UInt64(round)
            let faultClass = faultClass ?? classes[Int(seed % UInt64(classes.count))]
            let record = await run(round, seed, faultClass, subject)
            records.append(record)
            try append(record.line)
            FaultConsole.say(record.line)
            guard !record.isValid else { continue }
            FaultConsole.say(
                "Round \(round + 1) found what must not be; its artefacts are in \(folder(seed).path). To repeat it:"
            )
            FaultConsole.say(
                "BATUTA_FAULT_SEED=\(seed) BATUTA_FAULT_CLASS=\(faultClass.rawValue) BATUTA_FAULT_ROUNDS=1 make fault"
            )
            guard goesOn else { break }
        }
        summarize(records)
        return records.allSatisfy(\.isValid)
    }

    /// One sentence about all rounds.
    private func summarize(_ records: [FaultRecord]) {
        let valid = records.filter(\.isValid)
        let recoveries = valid.map(\.recovery).sorted()
        guard let longest = recoveries.last else { return FaultConsole.say("No round of \(records.count) is valid.") }
        let half = recoveries[recoveries.count / 2]
        let signals = valid.reduce(0) { $0 + $1.acknowledged }
        FaultConsole.say(
            "\(valid.count) of \(records.count) rounds are valid: \(signals) signals acknowledged and none lost; at rest "
                + "\(FaultRecord.tenths(half)) s after the faults at the median, \(FaultRecord.tenths(longest)) s at most."
        )
    }

    private func run(
        _ round: Int,
        _ seed: UInt64,
        _ faultClass: FaultClass,
        _ subject: FaultRecord.Subject
    ) async -> FaultRecord {
        // Where nothing is to be done to the network, nothing stands in it.
        let hasProxies = faultClass == .network || faultClass == .all
        let setting = FaultSetting(isCluster: true, hasProxies: hasProxies, hasFakeClocks: clock != nil)
        let schedule = FaultSchedule(seed: seed, faultClass: faultClass, length: Self.length, setting: setting)
        FaultConsole.say("Round \(round + 1) of \(rounds), \(schedule)")
        let journal = FaultJournal()
        do {
            return try await withNetwork(hasProxies) { network in
                let route: Installation.Route = { try network?.route($0, $1) ?? $1 }
                return try await Installation.with(
                    "fault",
                    on: servers.servers,
                    services: Dictionary(uniqueKeysWithValues: FaultSetting.services.map { ($0, setting.replicas) }),
                    route: route
                ) { installation in
                    let round = FaultRound(installation, servers, network: network, clock: clock, subject: subject)
                    return await round.run(schedule, journal: journal, artefacts: folder(seed))
                }
            }
        } catch {
            var record = FaultRecord(subject, schedule)
            record.violations.append("the system could not be made: \(error)")
            return record
        }
    }

    private func withNetwork<Value>(
        _ isWanted: Bool,
        _ body: (FaultyNetwork?) async throws -> Value
    ) async throws -> Value {
        guard isWanted else { return try await body(nil) }
        let authorities =
            try ServerAddress(servers.servers.postgres).authorities
            + ServerAddress(servers.servers.rabbitMQ).authorities
        return try await FaultyNetwork.with(services: FaultSetting.services, authorities: authorities, body)
    }

    private func folder(_ seed: UInt64) -> URL { output.appendingPathComponent("seed-\(seed)") }

    private func append(_ line: String) throws {
        let file = output.appendingPathComponent("rounds.jsonl")
        let handle: FileHandle
        if !FileManager.default.fileExists(atPath: file.path) {
            try Data().write(to: file)
        }
        handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data((line + "\n").utf8))
    }

    private func versions() async throws -> [String: String] {
        let postgres = try await Command.check("/usr/bin/env", ["psql", "--version"])
        let rabbitMQ = try await Command.check(servers.servers.rabbitMQControl, ["--quiet", "version"])
        return ["postgres": Self.word(postgres), "rabbitmq": Self.word(rabbitMQ)]
    }

    /// The first word that begins with a digit.
    private static func word(_ text: String) -> String {
        text.split { $0.isWhitespace }.first { $0.first?.isNumber == true }.map(String.init) ?? "unknown"
    }
}
