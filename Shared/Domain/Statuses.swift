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
