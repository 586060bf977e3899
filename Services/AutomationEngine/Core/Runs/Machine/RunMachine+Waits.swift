import Domain
import JSON

// MARK: - Steps that wait for what others bring

extension RunMachine {
    /// The step waits for the decision of a person.
    mutating func ask(_ position: Int, _ input: [UInt8], at now: Int64) {
        do throws(StepError) {
            let approval = try Approval(input)
            let wait = StepWait(kind: .approval, request: approval.request(from: signal.requester))
            park(position, at: wait, atMost: approval.within)
        } catch {
            fail(position, error, at: now)
        }
    }

    /// From now on signals are kept that a step may wait for, until the run gets there.
    mutating func listen() {
        for position in automation.steps.indices where record.steps[position].status == .queued {
            guard let shape = automation.steps[position].listens, !record.steps[position].awaits, !record.isDryRun
            else {
                continue
            }
            change.opened[position] = StepWait(kind: .signal, request: Array("{}".utf8), shape: shape)
            record.steps[position].awaits = true
        }
    }

    /// The step waits for a signal, which may have come already.
    mutating func meet(_ position: Int, _ input: [UInt8], at now: Int64) {
        do throws(StepError) {
            let signalWait = try SignalWait(input)
            let wait = StepWait(
                kind: .signal,
                request: input,
                shape: signalWait.shape,
                correlation: signalWait.correlation,
                isKnown: change.opened[position] == nil
            )
            park(position, at: wait, atMost: signalWait.within)
        } catch {
            fail(position, error, at: now)
        }
    }

    /// Starts a run of another automation, and waits for its end where that is asked for.
    mutating func call(_ position: Int, _ input: [UInt8], at now: Int64) {
        do throws(StepError) {
            let call = try RunCall(input)
            let emission = try Emission(call, run: record, position: position, causation: signal, at: now)
            change.emissions.append(emission)
            guard call.waits else {
                succeed(position, output: emission.output, at: now)
                return
            }
            let wait = StepWait(
                kind: .run,
                request: call.request(signal: emission.signalID),
                correlation: emission.signalID.lowercased
            )
            park(position, at: wait, atMost: call.within)
        } catch {
            fail(position, error, at: now)
        }
    }

    mutating func park(_ position: Int, at wait: StepWait, atMost limit: Duration) {
        change.opened[position] = wait
        update(position) { step in
            step.status = .waiting
            step.remaining = limit
            step.awaits = true
        }
    }

    /// What a step waits for has come, or its time is over.
    mutating func arrive(_ position: Int, at now: Int64) {
        guard let arrival = record.steps[position].arrival else {
            change.timedOut.insert(position)
            timeOut(position, at: now)
            return
        }
        switch definition(at: position).action {
        case .builtIn(.approval):
            decide(position, arrival, at: now)
        case .builtIn(.waitForSignal):
            succeed(position, output: arrival, at: now)
        case .builtIn(.run):
            if let error = RunCaller.error(in: arrival) {
                fail(position, error, at: now)
            } else {
                succeed(position, output: arrival, at: now)
            }
        default:
            fail(position, .unknownWait, at: now)
        }
    }

    private mutating func timeOut(_ position: Int, at now: Int64) {
        switch definition(at: position).action {
        case .builtIn(.approval):
            let approval = record.steps[position].input.flatMap { try? Approval($0) }
            if approval?.approvesOnTimeout == true {
                succeed(position, output: Approval.approvedByTimeout, at: now)
            } else {
                fail(position, StepError(code: "approval_timed_out", detail: "Nobody has decided in time."), at: now)
            }
        case .builtIn(.waitForSignal):
            fail(position, StepError(code: "timed_out", detail: "No such signal has come in time."), at: now)
        case .builtIn(.run):
            fail(position, StepError(code: "timed_out", detail: "The run has not ended in time; it goes on."), at: now)
        default:
            fail(position, .unknownWait, at: now)
        }
    }

    private mutating func decide(_ position: Int, _ arrival: [UInt8], at now: Int64) {
        let decision = try? JSONDocument(parsing: arrival, limits: .wrapped).root
        guard decision?["approved"]?.boolValue == true else {
            let person = decision?["by"]?.stringValue ?? "somebody"
            let comment = decision?["comment"]?.stringValue.map { ": \($0)" } ?? ""
            fail(position, StepError(code: "rejected", detail: "\(person) has rejected it\(comment)."), at: now)
            return
        }
        succeed(position, output: arrival, at: now)
    }
}

extension StepError {
    fileprivate static let unknownWait = notExecutable("This release does not know what the step waits for.")
}
