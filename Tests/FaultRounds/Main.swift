import FaultSuite
import Foundation

/// Runs rounds of faults on servers that `compose/fault` has started, each on a system of its own.
@main
enum Main {
    static func main() async {
        do {
            let runner = try FaultRunner(environment: ProcessInfo.processInfo.environment)
            exit(try await runner.run() ? 0 : 1)
        } catch {
            FaultConsole.say("The fault suite cannot run: \(error)")
            exit(2)
        }
    }
}
