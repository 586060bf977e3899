import Synchronization

/// Whose turn it is: the thread's that submits, or of whoever gives up before.
///
/// Exactly one of ``begin()`` and ``withdraw()`` is answered true.
final class SubmissionTurn: Sendable {
    private let isTaken = Atomic(false)

    /// Whether the submission may begin; nobody can withdraw it any more then.
    func begin() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }

    /// Whether the submission has not begun, and never will.
    func withdraw() -> Bool { begin() }
}
