/// Where a run stands.
package enum RunStatus: String, CaseIterable, Sendable {
    case queued
    case running
    case waiting
    case unknown
    case succeeded
    case failed
    case canceled

    /// Whether nothing can change any more.
    package var isFinal: Bool {
        switch self {
        case .queued, .running, .waiting, .unknown: false
        case .succeeded, .failed, .canceled: true
        }
    }
}

/// Where a step of a run stands.
package enum StepStatus: String, CaseIterable, Sendable {
    case queued
    case running
    case waiting
    case unknown
    case succeeded
    case failed
    case skipped
    case canceled
    case notSimulated = "not_simulated"

    /// Whether nothing can change any more.
    package var isFinal: Bool {
        switch self {
        case .queued, .running, .waiting, .unknown: false
        case .succeeded, .failed, .skipped, .canceled, .notSimulated: true
        }
    }
}

/// How far a signal has come.
package enum SignalStatus: String, CaseIterable, Sendable {
    /// It is committed by the service that accepted or emitted it.
    case accepted
    /// The broker has confirmed it.
    case published
    /// The engine has judged it, or has put it away as one that it cannot process.
    case processed

    /// - Parameters:
    ///   - isProcessed: What the engine says.
    ///   - isPublished: What the lane's watermark says; the engine may have taken the signal before.
    package init(isProcessed: Bool, isPublished: Bool) {
        self = isProcessed ? .processed : isPublished ? .published : .accepted
    }
}
