import Foundation

/// A file with one password, which only its owner may read.
struct PasswordFile: Sendable {
    let path: String

    /// Reads the password, or makes the file with a random one.
    ///
    /// - Throws: ``CommandLineError`` when others may read it, or it holds none.
    func readOrMake() throws(CommandLineError) -> String {
        if !FileManager.default.fileExists(atPath: path) {
            try PasswordsFile.write(Data("\(PasswordsFile.randomPassword())\n".utf8), to: path)
        }
        let text: String
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
            guard mode & 0o077 == 0 else {
                throw CommandLineError(
                    .passwords,
                    "the password file \(path) may be read by others (mode \(String(mode, radix: 8))); chmod 600 it"
                )
            }
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch let error as CommandLineError {
            throw error
        } catch {
            throw CommandLineError(.file, "the password file \(path) cannot be read: \(error.localizedDescription)")
        }
        let password = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !password.isEmpty else {
            throw CommandLineError(.passwords, "the password file \(path) is empty")
        }
        return password
    }
}
