import Foundation
import JSON

/// A figure that becomes one line of JSON.
protocol BenchFigure {
    /// What it is a figure of.
    var figure: String { get }

    /// Writes the members that follow its name.
    func write(into writer: inout JSONWriter)
}

extension BenchFigure {
    /// The line, without its end.
    ///
    /// - Parameter label: What tells the line from those of other invocations.
    /// - Returns: One object of JSON.
    func line(label: String? = nil) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("figure", figure)
        if let label { writer.member("label", label) }
        write(into: &writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension JSONWriter {
    /// A number with a fixed number of decimals, or null.
    mutating func member(_ name: String, decimal value: Double?, digits: Int) {
        let text = value.flatMap { $0.isFinite ? String(format: "%.\(digits)f", $0) : nil }
        member(name, raw: Array((text ?? "null").utf8))
    }
}
