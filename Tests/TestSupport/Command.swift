package import Foundation

/// Runs programs to their end without blocking a thread of the cooperative pool.
package enum Command {
    /// How a program ended and what it printed.
    package struct Result: Hashable, Sendable {
        /// The exit status, or the number of the signal that ended it plus 128.
        package let status: Int32

        /// Standard output and standard error, in the order in which they were written.
        package let output: String
    }

    /// Runs a program and waits for its end.
    ///
    /// Output goes to a file, not a pipe: a server that the program leaves running would hold a pipe open for ever.
    ///
    /// - Parameters:
    ///   - executable: the path of the program.
    ///   - arguments: its arguments.
    ///   - environment: its whole environment; nil hands on ours.
    /// - Returns: the status and output.
    /// - Throws: `TestSupportError` with code `notStarted` when it could not be started.
    package static func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil
    ) async throws -> Result {
        let file = temporaryURL("command.log")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = try SpawnedProcess(
            executable,
            arguments,
            environment: environment ?? ProcessInfo.processInfo.environment,
            output: file.path
        )
        let status = await process.wait()
        let output = String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
        return Result(status: status, output: output)
    }

    /// Runs a program that has to succeed.
    ///
    /// - Returns: what it printed.
    /// - Throws: `TestSupportError` with code `commandFailed` and the output otherwise.
    @discardableResult
    package static func check(_ executable: String, _ arguments: [String]) async throws -> String {
        let result = try await run(executable, arguments)
        guard result.status == 0 else {
            let call = ([executable] + arguments).joined(separator: " ")
            throw TestSupportError(.commandFailed, "`\(call)` ended with \(result.status): \(result.output)")
        }
        return result.output
    }

    /// A path in the temporary folder that no other call returns.
    package static func temporaryURL(_ suffix: String) -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)-\(suffix)")
    }
}
