import Foundation
import JSON

/// Lines of JSON beside the tests.
enum CaseFile {
    /// Reads every line of a file of `Cases`.
    static func rows(_ name: String) throws -> [JSONView] {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/\(name)")
        return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map { line in
            try JSONDocument(parsing: Array(line)).root
        }
    }
}
