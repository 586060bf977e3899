/// What the functions and look-ups of one template may still cost.
struct TemplateAllowance {
    /// Bytes of any one value.
    let maximumBytes: Int

    /// Bytes that functions may still read and write, and members and elements that paths may still pass.
    private var work: Int

    /// How often the greatest result may be read or written in the course of making it.
    private static let passes = 32

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
        let (work, overflow) = maximumBytes.multipliedReportingOverflow(by: Self.passes)
        self.work = overflow ? .max : work
    }

    /// Takes from the allowance.
    mutating func charge(_ amount: Int) throws(TemplateFailure) {
        guard amount <= work else {
            throw TemplateFailure(.tooCostly, "The template's functions and look-ups together cost more than allowed.")
        }
        work -= amount
    }

    /// Refuses a value of more bytes than allowed.
    func check(size: Int) throws(TemplateFailure) {
        guard size <= maximumBytes else {
            throw TemplateFailure(.tooLarge, "The value has more than the \(maximumBytes) bytes allowed.")
        }
    }
}
