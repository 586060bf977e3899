import Domain

extension RunRecord {
    /// Ends a run that no replica can go on with: its definition or its signal cannot be read any more.
    ///
    /// Steps whose attempts were under way may have had their effects, so that a person decides about them first; otherwise
    /// the run has failed at the step that was next, and those after it are skipped.
    ///
    /// - Parameters:
    ///   - error: Why it cannot go on.
    ///   - now: Microseconds of Unix time.
    /// - Returns: What is to be stored besides the run's own row.
    mutating func giveUp(_ error: StepError, at now: Int64) -> RunChange {
        var change = RunChange()
        self.error = error.bytes
        for position in steps.indices where steps[position].isUnderWay || steps[position].isSent {
            if steps[position].awaits { change.closed.insert(position) }
            steps[position].status = .unknown
            steps[position].remaining = nil
            steps[position].error = error.bytes
            status = .unknown
            change.steps.insert(position)
            change.ended.append(
                RunChange.AttemptEnd(
                    position: position,
                    number: steps[position].attempt,
                    outcome: .unknown(error),
                    finishedAt: now
                )
            )
        }
        guard !steps.contains(where: { $0.status == .unknown }) else {
            // What else waits is decided when nothing is unknown any more.
            status = .unknown
            for position in steps.indices where steps[position].status == .waiting {
                steps[position].status = .queued
                steps[position].remaining = nil
                if steps[position].awaits { change.closed.insert(position) }
                change.steps.insert(position)
            }
            return change
        }
        for position in steps.indices where !steps[position].status.isFinal {
            let hasFailed = status != .failed
            steps[position].status = hasFailed ? .failed : .skipped
            steps[position].error = hasFailed ? error.bytes : nil
            steps[position].finishedAt = now
            if steps[position].awaits { change.closed.insert(position) }
            change.steps.insert(position)
            status = .failed
        }
        if status != .failed {
            // Nothing was left to do.
            status = .succeeded
            self.error = nil
        }
        finishedAt = now
        return change
    }
}
