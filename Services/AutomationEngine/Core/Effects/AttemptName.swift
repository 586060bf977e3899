import Domain
import FoundationEssentials

/// What a call over the broker and its answer have in common: `<run_id>.<position>.<attempt>`, the correlation id.
struct AttemptName: Hashable, Sendable {
    var run: UUID
    /// Of the step, or of the item.
    var position: Int32
    /// From 1.
    var attempt: Int32

    var text: String { "\(run.lowercased).\(position).\(attempt)" }

    init(run: UUID, position: Int32, attempt: Int32) {
        self.run = run
        self.position = position
        self.attempt = attempt
    }

    /// Reads the one form that an attempt's name has.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let run = UUID(uuidString: String(parts[0])), let position = Int32(parts[1]),
            let attempt = Int32(parts[2]), position >= 0, attempt >= 1
        else {
            return nil
        }
        self.init(run: run, position: position, attempt: attempt)
        guard self.text == text else {
            return nil
        }
    }
}
