import Domain
import Testing

@testable import APIGatewayCore

@Suite struct TokenBucketTests {
    private let start = ContinuousClock.now
    private let size = TokenBucket.Size(perSecond: 10, seconds: 2)

    @Test func whatWasSavedUpIsSpentAtOnceAndThenFlowsIn() {
        var bucket = TokenBucket(at: start)
        #expect(bucket.take(15, of: size, at: start) == nil)
        #expect(bucket.take(6, of: size, at: start) == .milliseconds(100))
        #expect(bucket.take(5, of: size, at: start) == nil)
        #expect(bucket.take(1, of: size, at: start) == .milliseconds(100))
        #expect(bucket.take(1, of: size, at: start + .milliseconds(99)) == .milliseconds(1))
        #expect(bucket.take(1, of: size, at: start + .milliseconds(100)) == nil)
        // However long it was quiet, it holds no more than two seconds' worth.
        let later = start + .seconds(1_000)
        #expect(bucket.isFull(at: later))
        #expect(bucket.take(20, of: size, at: later) == nil)
        #expect(bucket.take(1, of: size, at: later) == .milliseconds(100))
    }

    @Test func aRefusalTakesNothing() {
        var bucket = TokenBucket(at: start)
        #expect(bucket.take(20, of: size, at: start) == nil)
        let before = bucket
        for _ in 0..<100 { #expect(bucket.take(5, of: size, at: start) == .milliseconds(500)) }
        #expect(bucket == before)
        #expect(bucket.take(5, of: size, at: start + .milliseconds(500)) == nil)
    }

    @Test func moreThanItHoldsIsTakenFromAFullOneWhichThenOwesTheRest() {
        var bucket = TokenBucket(at: start)
        #expect(bucket.take(1, of: size, at: start) == nil)
        #expect(bucket.take(100, of: size, at: start) == .milliseconds(100))
        let full = start + .milliseconds(100)
        #expect(bucket.take(100, of: size, at: full) == nil)
        #expect(bucket.take(1, of: size, at: full) == .milliseconds(8_100))
        #expect(bucket.take(100, of: size, at: full) == .seconds(10))
        #expect(bucket.take(1, of: size, at: full + .milliseconds(8_100)) == nil)
    }

    @Test(arguments: [1, 3, 7, 1_000, 1_000_000])
    func overTimeExactlyTheRateIsTaken(perSecond: Int) {
        let size = TokenBucket.Size(perSecond: perSecond, seconds: 2)
        var bucket = TokenBucket(at: start)
        var now = start
        var taken = 0
        let tokens = max(1, perSecond / 10)
        while now < start + .seconds(20) {
            switch bucket.take(tokens, of: size, at: now) {
            case nil: taken += tokens
            case .some(let wait):
                #expect(wait > .zero)
                now += wait
            }
        }
        // What it held at first, and what flowed in; the last request may lie a little after the end.
        #expect(((perSecond * 22 - tokens)...(perSecond * 22 + tokens)).contains(taken))
    }

    @Test func tenantsAreCountedApartAndForgottenWhenTheyAreQuiet() throws {
        let limiter = TenantRateLimiter(perSecond: 1)
        let (loud, quiet) = (try #require(Tenant("loud")), try #require(Tenant("quiet")))
        #expect(limiter.take(1_000_000, of: loud, at: start) == nil)
        #expect(limiter.take(1, of: loud, at: start) != nil)
        #expect(limiter.take(1, of: quiet, at: start) == nil)
        for number in 0..<3_000 {
            let tenant = try #require(Tenant("t\(number)"))
            #expect(limiter.take(1, of: tenant, at: start + .seconds(number * 10)) == nil)
        }
        #expect(limiter.bucketCount <= 1_024)
        #expect(limiter.take(1, of: loud, at: start + .seconds(30_000)) != nil)
    }

    @Test func withoutALimitNothingIsCounted() throws {
        let limiter = TenantRateLimiter(perSecond: 0)
        #expect(limiter.take(1_000_000, of: try #require(Tenant("loud")), at: start) == nil)
        #expect(limiter.bucketCount == 0 && limiter.perSecond == nil)
    }

    @Test(arguments: [
        (Duration.milliseconds(1), 1), (.seconds(1), 1), (.milliseconds(1_001), 2), (.seconds(90), 90),
    ])
    func theAnswerSaysAfterHowManySecondsToTryAgain(wait: Duration, seconds: Int) {
        for problem in [
            GatewayProblem.tooManySignals(perSecond: 5, wait: wait),
            .tooManyRequests(perSecond: 5, wait: wait),
        ] {
            #expect(problem.status == 429 && problem.code == "rate_limited")
            #expect(problem.retryAfter == seconds)
        }
    }
}
