/// A signal of a week whose inbox is gone: processing it might be processing it twice, so a person decides.
struct RetiredSignal: Error, CustomStringConvertible {
    var description: String {
        "the inbox of the signal's week was dropped, and with it what tells whether it was processed before"
    }
}
