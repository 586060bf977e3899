import Domain
import JSON

// MARK: - Ends of steps

extension RunMachine {
    /// Takes in how an attempt ended: the step has succeeded or failed, or there is another attempt, or a person decides.
    mutating func conclude(_ position: Int, _ outcome: AttemptOutcome, at now: Int64, chance: Double) {
        if case .sent(let limit) = outcome {
            return sent(position, within: limit)
        }
        stopAwaitingAnswer(position)
        change.ended.append(
            RunChange.AttemptEnd(
                position: position,
                number: record.steps[position].attempt,
                outcome: outcome,
                finishedAt: now
            )
        )
        switch outcome {
        case .succeeded(let output):
            succeed(position, output: output, at: now)
        case .failed(let failure):
            retry(position, failure, at: now, chance: chance)
        case .unknown(let error) where definition(at: position).isIdempotent:
            retry(position, AttemptOutcome.Failure(error: error, isRetryable: true), at: now, chance: chance)
        case .unknown(let error):
            update(position) { step in
                step.status = .unknown
                step.error = error.bytes
            }
        case .notMade:
            update(position) { $0.status = .queued }
        case .sent:
            break
        }
    }

    mutating func succeed(_ position: Int, output: [UInt8], at now: Int64) {
        guard output.count <= RunRecord.maximumOutput else {
            let error = StepError(code: "output_too_large", detail: "The output is longer than 256 KiB.")
            fail(position, error, at: now)
            return
        }
        update(position) { step in
            step.error = nil
            step.setOutput(output)
        }
        end(position, as: .succeeded, at: now)
    }

    /// A step has failed for good.
    mutating func fail(_ position: Int, _ error: StepError, at now: Int64) {
        update(position) { $0.error = error.bytes }
        end(position, as: .failed, at: now)
    }

    mutating func end(_ position: Int, as status: StepStatus, at now: Int64) {
        if record.steps[position].awaits {
            change.opened[position] = nil
            change.closed.insert(position)
        }
        update(position) { step in
            step.status = status
            step.finishedAt = now
            step.remaining = nil
            step.awaits = false
            step.isSent = false
            step.arrival = nil
        }
    }

    /// The step waits for another attempt, or has failed where none is left.
    private mutating func retry(
        _ position: Int,
        _ failure: AttemptOutcome.Failure,
        at now: Int64,
        chance: Double
    ) {
        let attempt = record.steps[position].attempt - record.steps[position].attemptsBefore
        let policy = definition(at: position).retry
        guard failure.isRetryable, !policy.nonRetryable.contains(failure.error),
            let delay = policy.delay(after: attempt, chance: chance)
        else {
            fail(position, failure.error, at: now)
            return
        }
        let asked = min(failure.retryAfter ?? .zero, max(policy.maximumDelay, delay))
        update(position) { step in
            step.status = .waiting
            step.remaining = max(delay, asked)
            step.error = failure.error.bytes
        }
    }
}

// MARK: - The end of the run

extension RunMachine {
    /// Nothing is left to do: the run has succeeded or failed.
    mutating func end(at now: Int64) {
        for position in record.steps.indices where !record.steps[position].status.isFinal {
            end(position, as: .skipped, at: now)
        }
        record.finishedAt = now
        guard let failing = record.failing(in: nil, of: automation) else {
            record.status = .succeeded
            return
        }
        var detail = "Step \"\(record.steps[failing].name)\" failed: \(Self.detail(of: record.steps[failing]))"
        if case .branch(let place) = automation.steps[failing].onError {
            let branch = automation.branches[place]
            let failed = record.failing(in: place, of: automation)
            guard failed != nil || !branch.recovers else {
                record.status = .succeeded
                return
            }
            if let failed {
                let step = record.steps[failed]
                detail +=
                    " The branch \"\(branch.name)\" failed as well, at step \"\(step.name)\": \(Self.detail(of: step))"
            }
        }
        let error = StepError(
            code: "step_failed",
            detail: detail,
            members: ["step": .string(record.steps[failing].name)]
        )
        record.error = error.bytes
        record.status = .failed
    }

    static func detail(of step: RunRecord.Step) -> String {
        step.error.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped).root["detail"]?.stringValue } ?? ""
    }
}
