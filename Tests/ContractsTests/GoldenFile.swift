import Foundation

/// The bytes of a contract as they were when its version was fixed; a change of the file is a change of the contract.
enum GoldenFile {
    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
        return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
