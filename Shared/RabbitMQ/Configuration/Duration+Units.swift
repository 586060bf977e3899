extension Duration {
    /// The whole milliseconds, rounded up and bounded to what a C call takes.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? Int64(Int32.max) : min(product &+ fraction, Int64(Int32.max))
    }
}
