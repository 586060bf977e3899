/// How far a signal has come.
enum SignalStatus: String, Sendable {
    /// It is committed.
    case accepted
    /// The broker has confirmed it.
    case published
    /// The engine has judged it, or has put it away as one that it cannot process.
    case processed

    /// - Parameters:
    ///   - isProcessed: What the engine says.
    ///   - isPublished: What the lane's watermark says; the engine may have taken the signal before.
    init(isProcessed: Bool, isPublished: Bool) {
        self = isProcessed ? .processed : isPublished ? .published : .accepted
    }
}
