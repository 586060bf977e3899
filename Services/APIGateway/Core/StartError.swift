import ServiceRuntime

/// What stops the start, as a sentence that says what to do.
struct StartError: OperatorFacingError, Equatable {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
