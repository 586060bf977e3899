import Domain
import Testing

@Suite("Triggers")
struct SignalTriggerTests {
    @Test(
        "which types a trigger matches",
        arguments: [
            ("github.push", "github.push", true),
            ("github.push", "github.push.x", false),
            ("github.*", "github.push", true),
            ("github.*", "github.pull_request.opened", true),
            ("github.*", "github", false),
            ("github.*", "github.", false),
            ("github.*", "githubx.push", false),
            ("github.pull_request.*", "github.pull_request.opened", true),
            ("github.pull_request.*", "github.push", false),
        ]
    )
    func matches(signalType: String, type: String, expected: Bool) throws {
        let trigger = try #require(SignalTrigger(signalType))
        #expect(trigger.matches(type) == expected)
        #expect(trigger.signalType == signalType)
    }

    @Test(
        "what is no signalType",
        arguments: ["", ".*", "*", "a.*.b", "a*", "a..*", String(repeating: "a", count: 256)]
    )
    func invalid(signalType: String) {
        #expect(SignalTrigger(signalType) == nil)
    }

    @Test("families of a type")
    func families() {
        #expect(SignalTrigger.familyPrefixes(of: "a.b.c") == ["a", "a.b"])
        #expect(SignalTrigger.familyPrefixes(of: "a") == [])
        #expect(SignalTrigger.familyPrefixes(of: "a.") == [])
        #expect(SignalTrigger.familyPrefixes(of: ".a") == [])
    }

    @Test("the families of a type are the ones that match it")
    func familiesMatch() throws {
        var generator = SystemRandomNumberGenerator()
        let letters = ["a", "b", ".", "ab", ".."]
        for _ in 0..<2_000 {
            let type = (0..<Int.random(in: 1...6, using: &generator))
                .map { _ in letters.randomElement(using: &generator) ?? "" }.joined()
            let families = Set(SignalTrigger.familyPrefixes(of: type).map(String.init))
            for prefix in ["a", "b", "a.b", "ab", "a.ab", "b.a"] {
                let trigger = try #require(SignalTrigger(prefix + ".*"))
                #expect(trigger.matches(type) == families.contains(prefix), "\(prefix).* and \(type)")
            }
        }
    }
}
