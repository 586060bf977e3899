/// The time in a signature: seconds since 1970, in digits.
struct SignedTime {
    /// How far a time may be from the clock, in seconds either way.
    static let tolerance: UInt64 = 300

    /// The most digits that are read.
    static let maximumDigits = 12

    let seconds: Int64

    /// Reads digits.
    ///
    /// - Parameter digits: 1 to 12 digits of ASCII, without a sign.
    /// - Throws: `malformed` for anything else.
    init(_ digits: ArraySlice<UInt8>) throws(SignatureRefusal) {
        guard (1...Self.maximumDigits).contains(digits.count), digits.allSatisfy(SecretSyntax.isDigit) else {
            throw SignatureRefusal(.malformed)
        }
        seconds = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// Whether the time is near enough to the clock for a right signature to count.
    ///
    /// - Parameter now: Seconds since 1970.
    /// - Throws: `too_old` or `too_new`.
    func check(now: Int64) throws(SignatureRefusal) {
        let distance = now > seconds ? seconds.distance(below: now) : now.distance(below: seconds)
        guard distance > Self.tolerance else { return }
        throw SignatureRefusal(now > seconds ? .tooOld : .tooNew)
    }
}

extension Int64 {
    /// How far this is below a number that is not less, which may be more than an `Int64` holds.
    fileprivate func distance(below other: Int64) -> UInt64 {
        UInt64(bitPattern: other) &- UInt64(bitPattern: self)
    }
}
