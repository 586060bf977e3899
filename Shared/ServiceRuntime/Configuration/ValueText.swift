/// Reads the texts of configuration values.
enum ValueText {
    /// A whole number: an optional minus and digits, nothing else.
    static func integer(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        guard isDigits(digits) else { return nil }
        return Int(text)
    }

    /// Yes or no, in any case of letters.
    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        default: nil
        }
    }

    /// `^\d+(ms|s|m|h|d)$`, as a length of time of at most about 292 years.
    static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard isDigits(digits), let count = Int64(digits) else { return nil }
        let milliseconds: Int64
        switch text.dropFirst(digits.count) {
        case "ms": milliseconds = 1
        case "s": milliseconds = 1000
        case "m": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        default: return nil
        }
        let (total, overflows) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflows, total <= 9_223_372_036_854 else { return nil }
        return .milliseconds(total)
    }

    /// The elements between commas, without the blanks around them.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { element in
            let start = element.drop { $0 == " " || $0 == "\t" }
            let trailing = start.reversed().prefix { $0 == " " || $0 == "\t" }.count
            return String(start.dropLast(trailing))
        }
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
