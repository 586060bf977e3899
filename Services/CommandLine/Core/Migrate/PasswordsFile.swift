import Foundation
package import Persistence

/// The roles' passwords: a JSON object from schema to password, which only its owner may read.
package struct PasswordsFile: Sendable {
    /// Where it is.
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Reads the file; nil where there is none.
    ///
    /// - Throws: ``CommandLineError`` when others may read it, or it is not whole.
    package func read() throws(CommandLineError) -> [ServiceSchema: String]? {
        let content: Data
        do {
            guard let mode = try mode() else { return nil }
            guard mode & 0o077 == 0 else {
                throw CommandLineError(
                    .passwords,
                    "the passwords file \(path) may be read by others (mode \(String(mode, radix: 8))); chmod 600 it"
                )
            }
            content = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as CommandLineError {
            throw error
        } catch {
            throw CommandLineError(.file, "the passwords file \(path) cannot be read: \(error.localizedDescription)")
        }
        guard let names = try? JSONDecoder().decode([String: String].self, from: content) else {
            throw CommandLineError(.passwords, "the passwords file \(path) is no JSON object from schema to password")
        }
        var passwords: [ServiceSchema: String] = [:]
        for (name, password) in names.sorted(by: { $0.key < $1.key }) {
            guard let schema = ServiceSchema(rawValue: name) else {
                throw CommandLineError(.passwords, "the passwords file \(path) names \(name), which is no schema")
            }
            passwords[schema] = password
        }
        let missing = ServiceSchema.allCases.filter { passwords[$0] == nil }.map(\.name)
        guard missing.isEmpty else {
            throw CommandLineError(
                .passwords,
                "the passwords file \(path) has no password for \(missing.joined(separator: ", "))"
            )
        }
        return passwords
    }

    /// Reads the file, or makes it with random passwords.
    ///
    /// Of several that make it at once, one does, and the others read that one's.
    ///
    /// - Returns: The passwords, and whether this call made them.
    package func readOrMake() throws(CommandLineError) -> (passwords: [ServiceSchema: String], isNew: Bool) {
        if let passwords = try read() { return (passwords, false) }
        let isNew = try make()
        guard let passwords = try read() else {
            throw CommandLineError(.file, "the passwords file \(path) was taken away while it was being made")
        }
        return (passwords, isNew)
    }

    private func make() throws(CommandLineError) -> Bool {
        let passwords = Dictionary(
            uniqueKeysWithValues: ServiceSchema.allCases.map { ($0.name, Self.randomPassword()) }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let temporary = "\(path).\(UUID().uuidString).new"
        defer { unlink(temporary) }
        do {
            let content = try encoder.encode(passwords) + Data("\n".utf8)
            try Self.write(content, to: temporary)
        } catch let error as CommandLineError {
            throw error
        } catch {
            throw CommandLineError(.passwords, "the passwords cannot be written as JSON: \(error)")
        }
        // A link appears whole and never replaces a file, which a rename would.
        guard link(temporary, path) == 0 else {
            guard errno == EEXIST else { throw Self.failure("make the passwords file \(path)") }
            return false
        }
        return true
    }

    static func write(_ content: Data, to path: String) throws(CommandLineError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("make the passwords file \(path)") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: content)
            try handle.synchronize()
            try handle.close()
        } catch {
            throw CommandLineError(.file, "the passwords file cannot be written: \(error.localizedDescription)")
        }
    }

    private func mode() throws -> Int? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue
    }

    private static func failure(_ work: String) -> CommandLineError {
        CommandLineError(.file, "cannot \(work): \(String(cString: strerror(errno)))")
    }

    /// 32 characters of 62: 190 bits from the system's generator, and nothing that a URL would have to escape.
    static func randomPassword() -> String {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<32).compactMap { _ in characters.randomElement() })
    }
}
