import Foundation

/// A setting from the environment: `NAME`, or the content of the file that `NAME_FILE` names.
enum EnvironmentSetting {
    /// The setting; nil where it is not set or empty.
    ///
    /// - Throws: ``CommandLineError`` when the file cannot be read or both are set.
    static func value(
        _ name: String,
        in environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandLineError) -> String? {
        let direct = environment[name].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = environment["\(name)_FILE"], !path.isEmpty else { return direct }
        guard direct == nil else {
            throw CommandLineError(.file, "both \(name) and \(name)_FILE are set; one of them must go")
        }
        do {
            let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw CommandLineError(.file, "\(name)_FILE cannot be read: \(error.localizedDescription)")
        }
    }
}
