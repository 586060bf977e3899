import Domain
import FoundationEssentials
import Messaging
import Persistence

/// Runs that were canceled for others have changed before they could be locked: the transaction is tried again.
struct AdmissionOvertaken: Error {}

/// The admission of the runs of one transaction: what they are admitted by is locked and read once, then each is decided
/// about in turn.
struct Admission: Sendable {
    private(set) var ledger: AdmissionLedger
    /// Runs that may have to be canceled for others, locked.
    private var stored: [UUID: LoadedRun]
    /// The runs of the transaction that were decided about.
    private var own: Set<UUID> = []

    /// Locks what runs are admitted by, and reads it; no statement where that is nothing.
    ///
    /// The order of locks is: runs, gates in their order. So whoever has locked a run may lock gates, and whoever has locked
    /// a gate waits for no run.
    ///
    /// - Throws: `PostgresError`.
    init(_ requests: [AdmissionRequest], in transaction: PostgresTransaction) async throws {
        ledger = AdmissionLedger()
        stored = [:]
        let gates = Set(requests.flatMap(\.gates))
        guard !gates.isEmpty else {
            return
        }
        stored = try await Self.lockSuperseded(by: requests, in: transaction)
        ledger = try await Self.read(requests, gates, in: transaction)
    }

    /// Decides about a run; the runs that are canceled for it are those of this transaction, and stored ones.
    ///
    /// - Throws: `AdmissionOvertaken` where a stored run is to be canceled that was not there at first.
    mutating func decide(_ request: AdmissionRequest) throws -> (verdict: AdmissionLedger.Verdict, stored: [LoadedRun])
    {
        let verdict = ledger.decide(request)
        let runs = try verdict.superseded.filter { !own.contains($0) }.map { id in
            guard let run = stored.removeValue(forKey: id), !run.record.status.isFinal else {
                throw AdmissionOvertaken()
            }
            return run
        }
        own.insert(request.runID)
        return (verdict, runs)
    }

    /// A run that has begun has ended in this transaction.
    mutating func ended(_ request: AdmissionRequest) {
        ledger.ended(request)
    }

    /// Locks the runs that may have to end for others, in their order, before any gate is locked.
    private static func lockSuperseded(
        by requests: [AdmissionRequest],
        in transaction: PostgresTransaction
    ) async throws -> [UUID: LoadedRun] {
        var newcomers: [AdmissionGate: [AdmissionRequest]] = [:]
        for request in requests where request.policy.concurrency?.onLimit == .cancelRunning && !request.isResumed {
            if let gate = request.place { newcomers[gate, default: []].append(request) }
        }
        guard !newcomers.isEmpty else {
            return [:]
        }
        let gates = Array(newcomers)
        let results = try await transaction.pipeline(gates.map { AdmissionRepository.going($0.key) })
        var tenants: [UUID: String] = [:]
        for ((_, requests), rows) in zip(gates, results) {
            guard let first = requests.first, let limit = first.policy.concurrency?.limit else {
                continue
            }
            for row in rows.prefix(max(0, rows.count + requests.count - limit)) {
                tenants[try row.decode(0)] = first.tenant
            }
        }
        var runs: [UUID: LoadedRun] = [:]
        for (id, tenant) in tenants.sorted(by: { $0.key < $1.key }) {
            runs[id] = try await RunRepository.lock(id, tenant: tenant, in: transaction)
        }
        return runs
    }

    private static func read(
        _ requests: [AdmissionRequest],
        _ gates: Set<AdmissionGate>,
        in transaction: PostgresTransaction
    ) async throws -> AdmissionLedger {
        var places: [AdmissionGate: (gate: AdmissionGate, limit: Int, cancels: Bool)] = [:]
        var rates: [AdmissionGate: (gate: AdmissionGate, limit: Int)] = [:]
        for request in requests {
            if let gate = request.place, let limit = request.policy.concurrency {
                places[gate] = (gate, limit.limit, limit.onLimit == .cancelRunning)
            }
            if let gate = request.rate, let limit = request.policy.rate {
                rates[gate] = (gate, limit.limit)
            }
        }
        let keys = Array(Set(requests.compactMap(\.dedupe)))
        let (placeList, rateList) = (Array(places.values), Array(rates.values))
        // Read by statements after the one that locks, whose snapshots are taken under the locks.
        let results = try await transaction.pipeline([
            AdmissionRepository.locking(Array(gates)),
            AdmissionRepository.pauses(requests.compactMap(\.pause?.automation)),
            AdmissionRepository.places(placeList),
            AdmissionRepository.starts(rateList),
            AdmissionRepository.holders(keys),
        ])
        var ledger = AdmissionLedger()
        if let row = results[1].first {
            ledger.paused = Set(try row.decode(0, as: [UUID].self))
            ledger.now = try row.decode(1, as: PostgresTimestamp.self).microsecondsSinceEpoch
        }
        for row in results[2] {
            ledger.places[placeList[try row.decode(0, as: Int.self)].gate] = AdmissionLedger.Places(
                going: try row.decode(1),
                oldest: try row.decode(2),
                waiting: try row.decode(3)
            )
        }
        for row in results[3] {
            ledger.rates[rateList[try row.decode(0, as: Int.self)].gate] = AdmissionLedger.Starts(
                times: try row.decode(1, as: [PostgresTimestamp].self).map(\.microsecondsSinceEpoch),
                newestRun: try row.decode(2),
                hasWaiting: try row.decode(3)
            )
        }
        for row in results[4] {
            ledger.holders[keys[try row.decode(0, as: Int.self)]] = AdmissionLedger.Holder(
                run: try row.decode(1),
                endsWithRun: try row.decode(2)
            )
        }
        return ledger
    }
}
