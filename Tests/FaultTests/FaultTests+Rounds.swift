import FaultSuite
import Foundation
import TestSupport
import Testing

extension FaultTests {
    /// One short round of the fault suite, of a class that needs no cluster, proxies or false clocks.
    ///
    /// `make fault` runs many long ones on a cluster.
    @Test func aRoundOfFaultsFromASeed() async throws {
        var generator = SeededGenerator.random(for: "aRoundOfFaultsFromASeed")
        let setting = FaultSetting(isCluster: false, hasProxies: false, hasFakeClocks: false, isShort: true)
        let faultClass = try #require(setting.classes.randomElement(using: &generator))
        let schedule = FaultSchedule(seed: generator.next(), faultClass: faultClass, length: 2, setting: setting)
        print(schedule)
        let round = FaultRound(
            installation,
            FaultServers(try #require(installation.privateServers)),
            subject: FaultRecord.Subject(commit: "this one", versions: [:]),
            margin: 40
        )
        try await installation.showingLogs {
            let record = await round.run(schedule, journal: FaultJournal(), artefacts: nil)
            print(record.line)
            try #require(record.violations == [], "\(schedule)")
            try #require(record.acknowledged > 0)
        }
    }
}
