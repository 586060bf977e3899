import TestSupport
import Testing

extension FaultTests {
    @Test func engineSleepsPastItsLease() async throws {
        let sleeper = try installation.replica(.engine, 0)
        let open = "SELECT count(*) FROM engine.lanes WHERE closed_at IS NULL AND producer LIKE '%/\(sleeper.name)/%'"
        try await underLoad("asleep") { load in
            try await eventually("the engine has open lanes") { try await installation.count(open) > 0 }
            try #require(sleeper.process).pause()
            do {
                try await eventually("another engine has closed its lanes", within: .seconds(40)) {
                    try await installation.count(open) == 0
                }
                try await load.acknowledges(50)
            } catch {
                sleeper.process?.resume()
                throw error
            }
            sleeper.process?.resume()
            try await eventually("it works again, in lanes of its own", within: .seconds(60)) {
                try await installation.count(open) > 0
            }
        }
        #expect(sleeper.isRunning, "an engine that was fenced off works on")
    }
}
