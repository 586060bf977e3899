import Domain

// MARK: - Attempts that services answer over the broker

extension RunMachine {
    /// The call is in the queue of its service, and the step waits for the answer.
    mutating func sent(_ position: Int, within limit: Duration) {
        let wait = StepWait(kind: .action, request: Array("{}".utf8), attempt: record.steps[position].attempt)
        park(position, at: wait, atMost: limit)
        record.steps[position].isSent = true
    }

    /// An attempt ends, and with it whatever was or is waited for.
    ///
    /// An answer may be there although this machine has not seen it, so what is stored goes in any case.
    mutating func stopAwaitingAnswer(_ position: Int) {
        guard case .remote = definition(at: position).action else {
            return
        }
        change.opened[position] = nil
        change.closed.insert(position)
        record.steps[position].awaits = false
        record.steps[position].isSent = false
        record.steps[position].arrival = nil
    }

    /// Takes in what has become of attempts while nobody drove the run, or its driver is gone.
    mutating func takeAttempts(at now: Int64, chance: Double) {
        for position in record.steps.indices {
            let step = record.steps[position]
            let isOpen = step.isUnderWay || step.isSent || step.status == .unknown
            if isOpen, let answer = step.arrival {
                conclude(position, outcome(of: answer, at: position), at: now, chance: chance)
            } else if step.isSent, (step.remaining ?? .zero) <= .zero {
                let detail = "The service that carries out the action has not answered in time."
                giveUp(position, StepError(code: "timed_out", detail: detail), at: now, chance: chance)
            } else if step.isUnderWay {
                let detail = "The engine that made the attempt ended before it could record the outcome."
                giveUp(position, StepError(code: "attempt_lost", detail: detail), at: now, chance: chance)
            }
        }
    }

    /// Nobody knows what has become of an attempt, unless its answer comes before that is stored.
    private mutating func giveUp(_ position: Int, _ error: StepError, at now: Int64, chance: Double) {
        if case .remote = definition(at: position).action { change.timedOut.insert(position) }
        conclude(position, .unknown(error), at: now, chance: chance)
    }

    /// What an answer says, judged by the action as it was registered when the run was last taken up.
    private func outcome(of answer: [UInt8], at position: Int) -> AttemptOutcome {
        guard case .remote(let action) = definition(at: position).action else {
            return .unknown(.notExecutable("This release does not know what the step waits for."))
        }
        return ActionAnswer.outcome(answer, under: action.registration?.declaration.output)
    }
}
