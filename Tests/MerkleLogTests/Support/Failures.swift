import MerkleLog
import Testing

/// Expects something to be refused for a reason.
func expectRefusal(
    _ code: MerkleLogError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(MerkleLogError) -> Void
) {
    do throws(MerkleLogError) {
        try body()
        Issue.record(comment ?? "Nothing was refused.", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        #expect(error.message.hasSuffix("."), sourceLocation: sourceLocation)
    }
}

/// Whether a check finds nothing wrong.
func holds(_ body: () throws(MerkleLogError) -> Void) -> Bool {
    do throws(MerkleLogError) {
        try body()
        return true
    } catch {
        return false
    }
}
