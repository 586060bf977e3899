import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging

extension SignalProcessor {
    /// Makes the runs of matches: those begin that may, others are held, and others are not made.
    ///
    /// Automations without limits cost nothing here: no statement and no lock.
    func admit(
        _ matches: [Match],
        _ reserved: Set<UUID>,
        in transaction: LaneTransaction
    ) async throws -> AdmittedRuns {
        var admitted = AdmittedRuns()
        guard matches.contains(where: \.automation.isLimited) else {
            for match in matches {
                begin(match, mayAttempt: reserved.contains(match.runID), &admitted)
            }
            return admitted
        }
        let requests = matches.map { match in
            match.automation.isLimited
                ? Result { () throws(StepError) in
                    try AdmissionRequest(match.automation, match.signal, runID: match.runID)
                } : nil
        }
        var admission = try await Admission(requests.compactMap { try? $0?.get() }, in: transaction.database)
        for (match, request) in zip(matches, requests) {
            switch request {
            case nil:
                begin(match, mayAttempt: reserved.contains(match.runID), &admitted)
            case .failure(let error):
                fail(match, error, &admitted)
            case .success(let request):
                try admit(match, request, mayAttempt: reserved.contains(match.runID), &admission, &admitted)
            }
        }
        admitted.refusals = admission.ledger.refusals
        admitted.ledger = admission.ledger
        return admitted
    }

    /// Stores what was decided; the new runs are written before.
    func enqueue(_ admitted: AdmittedRuns, in transaction: LaneTransaction) {
        guard let ledger = admitted.ledger else {
            return
        }
        let stored = admitted.superseded.filter(\.isStored).map(\.update)
        for update in stored {
            transaction.enqueue(RunRepository.overruling(update))
        }
        for superseded in admitted.superseded {
            transaction.audit(superseded.entry(at: now()))
        }
        transaction.enqueue(AdmissionRepository.superseding(stored.map(\.record.id)))
        transaction.enqueue(AdmissionRepository.writing(ledger))
    }

    private func begin(_ match: Match, mayAttempt: Bool, _ admitted: inout AdmittedRuns) {
        var machine = RunMachine(match.automation, signal: match.signal, runID: match.runID, at: now())
        let next = machine.resumed(at: now(), mayAttempt: mayAttempt)
        admitted.updates.append(RunUpdate(record: machine.record, change: machine.takeChange()))
        admitted.begun.append((machine, next))
    }

    private func admit(
        _ match: Match,
        _ request: AdmissionRequest,
        mayAttempt: Bool,
        _ admission: inout Admission,
        _ admitted: inout AdmittedRuns
    ) throws {
        let (verdict, stored) = try admission.decide(request)
        for run in stored {
            var record = run.record
            let change = record.cancel(at: now())
            admitted.superseded.append(
                AdmittedRuns.Superseded(
                    update: RunUpdate(record: record, change: change),
                    before: run.record.status,
                    newer: match.runID,
                    isStored: true
                )
            )
        }
        let storedIDs = Set(stored.map(\.record.id))
        for id in verdict.superseded where !storedIDs.contains(id) {
            supersede(id, by: match.runID, &admitted)
        }
        switch verdict.outcome {
        case .begins:
            begin(match, mayAttempt: mayAttempt, &admitted)
            if admitted.begun.last?.next == .end {
                admission.ended(request)
            }
        case .held:
            var record = RunRecord(match.automation, signal: match.signal, runID: match.runID, at: now())
            record.status = .queued
            admitted.updates.append(RunUpdate(record: record, change: RunChange()))
        case .refused:
            break
        }
    }

    /// A run of the batch ends before it was stored for the first time: as if it had never begun.
    private func supersede(_ id: UUID, by newer: UUID, _ admitted: inout AdmittedRuns) {
        guard let index = admitted.updates.firstIndex(where: { $0.record.id == id }) else {
            return
        }
        var record = admitted.updates[index].record
        let before = record.status
        if let begun = admitted.begun.firstIndex(where: { $0.machine.record.id == id }) {
            let machine = admitted.begun.remove(at: begun).machine
            record = RunRecord(machine.automation, signal: machine.signal, runID: id, at: record.startedAt)
        }
        _ = record.cancel(at: now())
        let update = RunUpdate(record: record, change: RunChange())
        admitted.updates[index] = update
        admitted.superseded.append(
            AdmittedRuns.Superseded(update: update, before: before, newer: newer, isStored: false)
        )
    }

    /// A run for which it cannot be said what it is admitted by ends at its first step.
    private func fail(_ match: Match, _ error: StepError, _ admitted: inout AdmittedRuns) {
        var record = RunRecord(match.automation, signal: match.signal, runID: match.runID, at: now())
        _ = record.giveUp(error, at: now())
        admitted.updates.append(RunUpdate(record: record, change: RunChange()))
    }
}

extension AdmittedRuns.Superseded {
    /// The entry that a run leaves when it is canceled for another one.
    fileprivate func entry(at time: Int64) -> AuditDraft {
        let record = update.record
        return AuditDraft(
            "run.cancel",
            ofRun: record.id,
            tenant: record.tenant,
            before: Self.value(["status": before.rawValue]),
            after: Self.value(["status": record.status.rawValue, "superseded_by": newer.lowercased]),
            reason: "a newer run has taken its place",
            traceparent: record.traceparent,
            at: time
        )
    }

    private static func value(_ members: KeyValuePairs<String, String>) -> AuditValue {
        var writer = JSONWriter()
        writer.beginObject()
        for member in members { writer.member(member.key, member.value) }
        writer.endObject()
        return .canonical(writer.bytes)
    }
}
