/// What `BATUTA_CRASH_AT` asks for: a crash at the n-th arrival at one point.
package struct CrashOrder: Sendable, Equatable {
    /// The variable that names the point: `<name>` or `<name>:<n>`.
    package static let variable = "BATUTA_CRASH_AT"
    /// The variable that must be `1` for the other to be obeyed.
    package static let permissionVariable = "BATUTA_ALLOW_FAULTS"
    /// The greatest arrival that can be asked for.
    package static let greatestArrival = 1_000_000_000

    /// The point at which the process dies.
    package let point: CrashPoint
    /// The arrival, counted from 1, at which it dies.
    package let arrival: Int

    /// Makes an order.
    package init(point: CrashPoint, arrival: Int = 1) {
        self.point = point
        self.arrival = arrival
    }

    /// Reads the order from an environment.
    ///
    /// - Parameter environment: The process's environment.
    /// - Returns: The order, or `nil` where `BATUTA_CRASH_AT` is unset or empty.
    /// - Throws: ``FaultInjectionError`` where faults are not allowed here, or the value is not understood.
    package static func parse(_ environment: [String: String]) throws(FaultInjectionError) -> CrashOrder? {
        guard let text = environment[variable], !text.isEmpty else { return nil }
        guard environment[permissionVariable] == "1" else {
            throw FaultInjectionError(
                code: .notAllowed,
                message: "\(variable) is set, but it kills the process and is for fault tests only; unset it, "
                    + "or set \(permissionVariable)=1 where that is meant."
            )
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let point = CrashPoint(rawValue: String(name)) else {
            throw FaultInjectionError(
                code: .unknownPoint,
                message: "\(variable) names no known crash point; it takes one of \(knownNames), "
                    + "and :<n> after it for the n-th arrival."
            )
        }
        guard parts.count == 2 else { return CrashOrder(point: point) }
        return CrashOrder(point: point, arrival: try parseArrival(parts[1]))
    }

    private static func parseArrival(_ text: Substring) throws(FaultInjectionError) -> Int {
        let isDigits = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isDigits, let number = Int(text), (1...greatestArrival).contains(number) else {
            throw FaultInjectionError(
                code: .badArrival,
                message: "\(variable) has no arrival after its colon; it takes a whole number "
                    + "from 1 to \(greatestArrival)."
            )
        }
        return number
    }

    private static var knownNames: String {
        CrashPoint.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
