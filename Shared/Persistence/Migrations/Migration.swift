import Crypto
package import FoundationEssentials

/// One numbered step of a schema, as its file holds it.
package struct Migration: Hashable, Sendable {
    /// The number of the step within its schema, from 1.
    package let version: Int
    /// What the file's name says behind the number.
    package let name: String
    /// The file, from the folder of migrations: `gateway/0002_intake.sql`.
    package let path: String
    /// SHA-256 of the file as written.
    package let checksum: [UInt8]
    /// The checksum of an earlier text of the file, which led to the same schema where it could be applied.
    package let replaced: [UInt8]?
    /// Releases that need an older version of the schema than this cannot run once the migration is applied.
    package let incompatibleBelow: Int?
    /// The file's text, with its placeholders.
    let text: String

    /// Reads a migration from its file's name and content.
    ///
    /// - Throws: ``PersistenceError/Code/migrationFiles`` when name, encoding or heading are not as they must be.
    package init(path: String, content: Data) throws(PersistenceError) {
        func failure(_ text: String) -> PersistenceError {
            PersistenceError(.migrationFiles, "the migration \(path) \(text)")
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard let parsed = Self.parse(file: file) else {
            throw failure("must be named NNNN_name.sql, with a number from 0001 and a name of a-z, 0-9 and _")
        }
        guard let text = String(validating: content, as: UTF8.self) else { throw failure("is not UTF-8") }
        (version, name) = parsed
        self.path = path
        self.text = text
        checksum = Array(SHA256.hash(data: content))
        switch Self.heading(Self.replacing, of: text) {
        case nil:
            replaced = nil
        case .some(let value):
            guard let checksum = Self.checksum(value) else {
                throw failure("says \(Self.replacing) \(value); it must be a SHA-256 in lower-case hex")
            }
            replaced = checksum
        }
        switch Self.heading(Self.marker, of: text) {
        case nil:
            incompatibleBelow = nil
        case .some(let value):
            guard let below = Int(value), (1...parsed.version).contains(below) else {
                throw failure("says \(Self.marker) \(value); it must be a version from 1 to its own")
            }
            incompatibleBelow = below
        }
    }

    /// The statements for one schema.
    ///
    /// - Throws: ``PersistenceError`` for an unknown placeholder, a text that ends inside something, or one that
    ///   controls its transaction.
    package func script(for schema: ServiceSchema) throws(PersistenceError) -> SQLScript {
        let filled = text.replacing("{{schema}}", with: schema.name).replacing("{{role}}", with: schema.role)
        if let open = filled.firstRange(of: "{{") {
            throw PersistenceError(
                .migrationFiles,
                "the migration \(path) holds an unknown placeholder, \(filled[open.lowerBound...].prefix(30))"
            )
        }
        do {
            let script = try SQLScript(filled)
            try script.requireNoTransactionControl()
            return script
        } catch {
            throw PersistenceError(error.code, "the migration \(path), \(error.message)")
        }
    }

    private static let marker = "incompatible-with-releases-below:"
    private static let replacing = "replaces:"

    /// What the comment lines at the file's beginning say behind a marker.
    private static func heading(_ marker: String, of text: String) -> String? {
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            guard line.hasPrefix("--") else { return nil }
            let comment = line.dropFirst(2).drop { $0 == " " }
            if comment.hasPrefix(marker) {
                return String(comment.dropFirst(marker.count).drop { $0 == " " })
            }
        }
        return nil
    }

    /// Reads a checksum; nil where a text is none.
    private static func checksum(_ text: String) -> [UInt8]? {
        let digits = Array(text)
        guard digits.count == 64, digits.allSatisfy({ "0123456789abcdef".contains($0) }) else { return nil }
        return stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    private static func parse(file: String) -> (version: Int, name: String)? {
        guard file.hasSuffix(".sql") else { return nil }
        let parts = file.dropLast(4).split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[0].utf8.allSatisfy({ (48...57).contains($0) }),
            let version = Int(parts[0]), version > 0
        else { return nil }
        let isName = parts[1].utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isName, !parts[1].isEmpty else { return nil }
        return (version, String(parts[1]))
    }
}
