/// A number exactly as it was written.
package struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
    /// The number's text, as JSON writes it.
    package let text: String

    /// A number from its text, or nil where JSON would not write it so.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let document = try? JSONDocument(parsing: bytes), document.root.kind == .number,
            document.root.rawBytes.count == bytes.count
        else {
            return nil
        }
        self.text = text
    }

    /// A whole number.
    package init(_ value: some BinaryInteger) {
        text = String(value)
    }

    init(validated bytes: ArraySlice<UInt8>) {
        text = String(decoding: bytes, as: UTF8.self)
    }

    package var description: String { text }

    /// The value if it was written as a whole number that fits.
    package var int64Value: Int64? {
        Int64(text)
    }

    /// The nearest double, or nil where the number is too large for one.
    package var doubleValue: Double? {
        guard let value = Double(text), value.isFinite else {
            return nil
        }
        return value
    }

    /// Whether a reader that keeps numbers as doubles still has the same number.
    ///
    /// The shortest text that a double is read back from must stand for the same decimal value.
    package var survivesDouble: Bool {
        guard let value = doubleValue else {
            return false
        }
        return Decimal(text) == Decimal(value.description)
    }

    /// A decimal value in lowest terms: the digits without zeros at either end, and the exponent of the last one.
    private struct Decimal: Equatable {
        var isNegative: Bool
        var digits: [UInt8]
        var exponent: Int

        init(_ text: String) {
            var digits: [UInt8] = []
            var exponent = 0
            var isFraction = false
            var rest = Array(text.utf8)[...]
            isNegative = rest.first == UInt8(ascii: "-")
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"):
                    digits.append(byte)
                    exponent -= isFraction ? 1 : 0
                case UInt8(ascii: "."):
                    isFraction = true
                case UInt8(ascii: "e"), UInt8(ascii: "E"):
                    // An exponent that does not fit an Int belongs to zero or to no finite double.
                    let (sum, overflow) = exponent.addingReportingOverflow(
                        Int(String(decoding: rest, as: UTF8.self)) ?? 0
                    )
                    exponent = overflow ? 0 : sum
                    rest = []
                default:
                    break
                }
            }
            while digits.last == UInt8(ascii: "0") {
                digits.removeLast()
                exponent += 1
            }
            self.digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
            self.exponent = self.digits.isEmpty ? 0 : exponent
        }
    }
}
