import TestSupport
import Testing

@Suite("Seeded generator")
struct SeededGeneratorTests {
    @Test("the first values for seed 1234567 are those of the published algorithm")
    func publishedValues() {
        var generator = SeededGenerator(seed: 1_234_567)
        let values = (0..<5).map { _ in generator.next() }
        #expect(
            values == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ]
        )
    }

    @Test("a seed of the environment is read in decimal and hexadecimal, and nonsense is no seed")
    func environment() {
        #expect(SeededGenerator.seed(environment: ["BATUTA_TEST_SEED": "42"]) == 42)
        #expect(SeededGenerator.seed(environment: ["BATUTA_TEST_SEED": "0x2A"]) == 42)
        #expect(SeededGenerator.seed(environment: ["BATUTA_TEST_SEED": "forty-two"]) == nil)
        #expect(SeededGenerator.seed(environment: [:]) == nil)
    }

    @Test("a generator made from the printed seed repeats the sequence")
    func repeats() {
        var first = SeededGenerator.random()
        var second = SeededGenerator(seed: first.seed)
        for _ in 0..<100 {
            #expect(first.next() == second.next())
        }
    }
}
