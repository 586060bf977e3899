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
            if steps[position].status == .running {
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
            change.steps.insert(position)
        }
        status = .canceled
        finishedAt = now
        fence += 1
        return change
    }

    /// Makes a failed run go on from the step that has failed; what has succeeded stays.
    ///
    /// The failed step gets all of its attempts once more, and those after it, which were skipped because of it, are to be
    /// executed.
    ///
    /// - Returns: What is to be stored besides the run's own row.
    mutating func resume() -> RunChange {
        var change = RunChange()
        guard let failed = steps.lastIndex(where: { $0.status == .failed }) else {
            return change
        }
        for position in failed..<steps.count {
            steps[position].status = .queued
            steps[position].attemptsBefore = steps[position].attempt
            steps[position].error = nil
            steps[position].finishedAt = nil
            change.steps.insert(position)
        }
        status = .queued
        error = nil
        finishedAt = nil
        fence += 1
        return change
    }
}
