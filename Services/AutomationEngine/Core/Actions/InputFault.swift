/// One fault of a step's input that shows before it is resolved.
struct InputFault: Equatable, Sendable {
    /// The member of the input.
    var member: String
    /// A stable code.
    var code: String
    /// A sentence for people.
    var detail: String
}

extension [InputFault] {
    /// Refuses a resolved input for the first of its faults.
    func refuse() throws(StepError) {
        if let fault = first {
            throw StepError(code: "invalid_input", detail: "\(fault.member): \(fault.detail)")
        }
    }
}
