import MerkleLog
import Testing

/// Expects a proof or a plan to be refused for a reason.
func expectRefusal(
    _ code: MerkleError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(MerkleError) -> Void
) {
    do throws(MerkleError) {
        try body()
        Issue.record(comment ?? "Nothing was refused.", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        #expect(!error.isRetryable && error.message.hasSuffix("."), sourceLocation: sourceLocation)
    }
}

/// Expects a note, a key or a proof file to be refused for a reason.
func expectRefusal(
    note code: NoteError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(NoteError) -> Void
) {
    do throws(NoteError) {
        try body()
        Issue.record(comment ?? "Nothing was refused.", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        #expect(!error.isRetryable && error.message.hasSuffix("."), sourceLocation: sourceLocation)
    }
}

/// Whether a check finds nothing wrong.
func holds(_ body: () throws(MerkleError) -> Void) -> Bool {
    do throws(MerkleError) {
        try body()
        return true
    } catch {
        return false
    }
}
