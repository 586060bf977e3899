import Foundation
import JSON
import MerkleLog
import Testing

/// The cases beside the tests.
enum CaseFiles {
    static func document(_ name: String) throws -> JSONView {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try JSONDocument(parsing: Array(Data(contentsOf: folder.appending(path: "Cases/\(name)")))).root
    }
}

/// The published proofs, which are not part of this repository.
enum PublishedProofs {
    static let folder = ProcessInfo.processInfo.environment["BATUTA_CASES"]
        .map { URL(fileURLWithPath: $0).appending(path: "merkle/proofs") }

    /// Every case below a folder of the proofs, with its path.
    static func cases(_ kind: String) throws -> [(path: String, row: JSONView)] {
        let folder = try #require(folder).appending(path: kind)
        let found = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return try found.compactMap { $0 as? URL }.filter { $0.pathExtension == "json" }.map { url in
            try (url.path, JSONDocument(parsing: Array(Data(contentsOf: url))).root)
        }
    }
}

extension JSONView {
    func text(_ name: String) throws -> String { try #require(self[name]?.stringValue, "\(name)") }

    func flag(_ name: String) throws -> Bool {
        let member = try #require(self[name], "\(name)")
        return member.boolValue == true
    }

    func number(_ name: String) throws -> UInt64 { try UInt64(#require(self[name]?.int64Value, "\(name)")) }

    /// The hash that hexadecimal digits stand for.
    func hash(_ name: String) throws -> MerkleHash { try #require(MerkleHash(Hex.bytes(text(name))), "\(name)") }

    /// The hashes that a list of hexadecimal digits stands for.
    func hashes(_ name: String) throws -> [MerkleHash] {
        try #require(self[name]).elements.map { row in
            try #require(MerkleHash(Hex.bytes(row.stringValue ?? "")))
        }
    }

    /// The hashes that a list of base64 stands for, none for null; nil where one of them is no hash.
    func base64Hashes(_ name: String) throws -> [MerkleHash]? {
        let list = try #require(self[name])
        guard !list.isNull else { return [] }
        let hashes = list.elements.map { row in row.stringValue.flatMap { MerkleHash(base64: $0) } }
        return hashes.contains(nil) ? nil : hashes.compactMap(\.self)
    }
}

enum Hex {
    /// The bytes that hexadecimal digits stand for.
    static func bytes(_ digits: String) -> [UInt8] {
        let digits = digits.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
