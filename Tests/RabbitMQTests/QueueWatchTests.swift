import Testing

@testable import RabbitMQ

@Suite("The watch over a subscription")
struct QueueWatchTests {
    private let start = ContinuousClock.now
    private let interval = Duration.seconds(15)

    private func subscribed() -> QueueWatch {
        var watch = QueueWatch()
        watch.subscribed(at: start)
        return watch
    }

    @Test func asksOnceNothingHasComeForAWhile() {
        var watch = QueueWatch()
        #expect(watch.polled(at: start + .seconds(1000), every: interval) == false, "there is no subscription yet")
        watch.subscribed(at: start)
        #expect(watch.next(every: interval) == start + interval)
        #expect(watch.polled(at: start + .seconds(14), every: interval) == false)
        watch.delivered(at: start + .seconds(14))
        #expect(watch.polled(at: start + .seconds(28), every: interval) == false)
        #expect(watch.polled(at: start + .seconds(29), every: interval) == true)
        #expect(watch.askedAt == start + .seconds(29))
        #expect(watch.polled(at: start + .seconds(60), every: interval) == false, "it has been asked")
        #expect(watch.next(every: interval) == nil)
    }

    @Test func anEmptyQueueIsWell() {
        var watch = subscribed()
        for round in 1...5 {
            let now = start + interval * round
            #expect(watch.polled(at: now, every: interval) == true)
            #expect(watch.answered(at: now, messages: 0, hasRoom: true) == false)
        }
    }

    @Test func readyMessagesTwiceInARowAndNoDeliveryMeanThatItIsDead() {
        var watch = subscribed()
        #expect(watch.polled(at: start + interval, every: interval) == true)
        #expect(watch.answered(at: start + interval, messages: 3, hasRoom: true) == false, "one may be on its way")
        #expect(watch.polled(at: start + interval * 2, every: interval) == true)
        #expect(watch.answered(at: start + interval * 2, messages: 3, hasRoom: true) == true)
    }

    @Test func aStandbyIsGivenMoreTime() {
        var watch = QueueWatch(needed: QueueWatch.proofsOfStandby)
        watch.subscribed(at: start)
        for round in 1...2 * QueueWatch.proofsOfStandby {
            let now = start + interval * round
            #expect(watch.polled(at: now, every: interval) == true)
            // An empty queue in between lets it count from the start.
            let messages = round == QueueWatch.proofsOfStandby ? 0 : 3
            #expect(
                watch.answered(at: now, messages: messages, hasRoom: true) == (round == 2 * QueueWatch.proofsOfStandby)
            )
        }
        watch = watch.anew
        watch.subscribed(at: start)
        #expect(watch.polled(at: start + interval, every: interval) == true)
        #expect(watch.answered(at: start + interval, messages: 3, hasRoom: true) == false)
        #expect(watch.polled(at: start + interval * 2, every: interval) == true)
        #expect(watch.answered(at: start + interval * 2, messages: 3, hasRoom: true) == false)
    }

    @Test func aDeliveryInBetweenShowsThatItLives() {
        var watch = subscribed()
        #expect(watch.polled(at: start + interval, every: interval) == true)
        #expect(watch.answered(at: start + interval, messages: 3, hasRoom: true) == false)
        watch.delivered(at: start + interval + .seconds(1))
        let later = start + interval * 2 + .seconds(1)
        #expect(watch.polled(at: later, every: interval) == true)
        #expect(watch.answered(at: later, messages: 3, hasRoom: true) == false)
        #expect(watch.polled(at: later + interval, every: interval) == true)
        watch.delivered(at: later + interval + .milliseconds(1))
        #expect(watch.answered(at: later + interval + .milliseconds(2), messages: 3, hasRoom: true) == false)
    }

    @Test func aFullConsumerGetsNothingAndIsWell() {
        var watch = subscribed()
        for round in 1...5 {
            let now = start + interval * round
            #expect(watch.polled(at: now, every: interval) == true)
            #expect(watch.answered(at: now, messages: 9, hasRoom: false) == false)
        }
    }
}
