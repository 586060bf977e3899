import Domain

extension RunRecord {
    /// Ends a run because a person wants it to end.
    ///
    /// Whatever has not ended is canceled. An attempt under way cannot be called back: it counts as one of unknown outcome.
    /// The fence moves on, so that its driver can write nothing any more.
    ///
    /// - Parameter now: Microseconds of Unix time.
    /// - Returns: What is to be stored besides the run's own row.
    mutating func cancel(at now: Int64) -> RunChange {
        var change = RunChange()
        for position in steps.indices where !steps[position].status.isFinal {
            if steps[position].isUnderWay || steps[position].isSent {
                let error = StepError(
                    code: "canceled",
                    detail: "The run was canceled while the attempt was under way; it may have had its effect."
                )
                steps[position].error = error.bytes
                change.ended.append(
                    RunChange.AttemptEnd(
                        position: position,
                        number: steps[position].attempt,
                        outcome: .unknown(error),
                        finishedAt: now
                    )
                )
            }
            steps[position].status = .canceled
            steps[position].finishedAt = now
            steps[position].remaining = nil
            steps[position].awaits = false
            steps[position].isSent = false
            change.steps.insert(position)
        }
        status = .canceled
        finishedAt = now
        fence += 1
        return change
    }

    /// Makes a failed run go on from what has failed; what has succeeded stays.
    ///
    /// A step that has failed gets all of its attempts once more, of a repeated one those items that have failed; what was
    /// skipped or canceled because of it is to be executed, and so are the steps of a failure branch if it comes to that
    /// again.
    ///
    /// - Parameter automation: The run's automation.
    /// - Returns: What is to be stored besides the run's own row.
    mutating func resume(_ automation: CompiledAutomation) -> RunChange {
        var change = RunChange()
        for position in steps.indices {
            let step = automation.steps[steps[position].parent ?? position]
            let isKept =
                switch steps[position].status {
                case .succeeded: step.branch == nil
                case .failed: step.branch == nil && step.onError == .continue
                default: false
                }
            guard !isKept else {
                continue
            }
            // A branch begins anew; its items are made anew when their step begins.
            guard step.branch == nil || steps[position].parent == nil else {
                continue
            }
            steps[position].status = steps[position].isRepeated && step.branch == nil ? .running : .queued
            steps[position].attemptsBefore = steps[position].attempt
            steps[position].error = nil
            steps[position].finishedAt = nil
            if step.branch != nil {
                steps[position].output = nil
                steps[position].outputHash = nil
            }
            change.steps.insert(position)
        }
        status = .queued
        error = nil
        finishedAt = nil
        fence += 1
        return change
    }
}
