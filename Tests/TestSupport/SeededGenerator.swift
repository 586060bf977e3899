private import Foundation

/// A small, fast random generator whose every run can be repeated from its seed.
///
/// The algorithm is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one
/// 64-bit state, every value visited once per period. A test that uses it prints the seed, and setting
/// `BATUTA_TEST_SEED` to that number repeats the test exactly.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// The environment variable that overrides the seed of every generator made by `random(for:)`.
    package static let environmentName = "BATUTA_TEST_SEED"

    /// The seed this generator started from.
    package let seed: UInt64

    private var state: UInt64

    /// Makes a generator that always yields the same sequence for one seed.
    package init(seed: UInt64) {
        self.seed = seed
        self.state = seed
    }

    /// Makes a generator from `BATUTA_TEST_SEED`, or from a seed of the system's, and prints which seed it is.
    ///
    /// - Parameter test: the name printed next to the seed, so that a failing test's seed can be found in the log.
    /// - Returns: the generator.
    package static func random(for test: String = #function) -> SeededGenerator {
        let seed = seed(environment: ProcessInfo.processInfo.environment) ?? UInt64.random(in: .min ... .max)
        print("\(environmentName)=\(seed) repeats \(test).")
        return SeededGenerator(seed: seed)
    }

    /// The seed that an environment asks for, decimal or hexadecimal with `0x`; nil when it asks for none.
    package static func seed(environment: [String: String]) -> UInt64? {
        guard let text = environment[environmentName] else { return nil }
        guard text.hasPrefix("0x") else { return UInt64(text) }
        return UInt64(text.dropFirst(2), radix: 16)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
