import Testing

@testable import RabbitMQ

@Suite("The delivery ledger")
struct DeliveryLedgerTests {
    typealias Acknowledgement = DeliveryLedger.Acknowledgement

    private func ledger(_ count: UInt64) -> DeliveryLedger {
        var ledger = DeliveryLedger()
        for tag in 1...count { _ = ledger.delivered(tag: tag) }
        return ledger
    }

    @Test("folds what is contiguous from the oldest open delivery")
    func folds() {
        var ledger = ledger(10)
        #expect(ledger.acknowledged([3, 1, 2]) == [Acknowledgement(tag: 3, multiple: true)])
        #expect(ledger.acknowledged([5, 6]) == [.init(tag: 5, multiple: false), .init(tag: 6, multiple: false)])
        #expect(ledger.acknowledged([4]) == [.init(tag: 4, multiple: false)])
        #expect(ledger.acknowledged([7, 8, 10]) == [.init(tag: 8, multiple: true), .init(tag: 10, multiple: false)])
        #expect(ledger.openCount == 1)
    }

    @Test("settles nothing twice and nothing that was not delivered", arguments: [0, 2, 4, 11, UInt64.max])
    func foreign(tag: UInt64) {
        var ledger = ledger(10)
        _ = ledger.acknowledged([1, 2, 4])
        #expect(ledger.acknowledged([tag, tag]).isEmpty)
        let isRejected = ledger.rejected(tag: tag)
        #expect(!isRejected)
        #expect(ledger.openCount == 7)
    }

    @Test("acknowledges everything up to one")
    func through() {
        var ledger = ledger(10)
        let isRejected = ledger.rejected(tag: 2)
        #expect(isRejected)
        #expect(ledger.acknowledged(through: 4) == .init(tag: 4, multiple: true))
        #expect(ledger.acknowledged(through: 4) == nil)
        #expect(ledger.acknowledged(through: 5) == .init(tag: 5, multiple: false))
        #expect(ledger.acknowledged(through: 11) == nil)
    }

    @Test("accepts only the tags that may come")
    func order() {
        var ledger = DeliveryLedger()
        let answers = [1, 3, 1, 2].map { ledger.delivered(tag: $0) }
        #expect(answers == [true, false, false, true])
    }

    @Test("tells a broker's model of open tags exactly what was settled", arguments: 0..<40)
    func random(run: Int) {
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var ledger = DeliveryLedger()
        var delivered: UInt64 = 0
        var wanted: Set<UInt64> = []
        var broker: Set<UInt64> = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0..<4:
                delivered += 1
                _ = ledger.delivered(tag: delivered)
                wanted.insert(delivered)
                broker.insert(delivered)
            case 4..<6:
                let tags = (0..<Int.random(in: 1..<6, using: &generator)).map { _ in
                    UInt64.random(in: 0...delivered + 2, using: &generator)
                }
                for command in ledger.acknowledged(tags) {
                    #expect(broker.contains(command.tag), "seed \(seed)")
                    broker = broker.filter { command.multiple ? $0 > command.tag : $0 != command.tag }
                }
                wanted.subtract(tags)
            case 6:
                let tag = UInt64.random(in: 0...delivered + 2, using: &generator)
                if let command = ledger.acknowledged(through: tag) {
                    #expect(broker.contains(command.tag), "seed \(seed)")
                    broker = broker.filter { command.multiple ? $0 > command.tag : $0 != command.tag }
                }
                if tag <= delivered { wanted = wanted.filter { $0 > tag } }
            default:
                let tag = UInt64.random(in: 0...delivered + 2, using: &generator)
                let isOpen = ledger.rejected(tag: tag)
                #expect(isOpen == (broker.remove(tag) != nil), "seed \(seed)")
                wanted.remove(tag)
            }
            #expect(broker == wanted, "seed \(seed)")
            #expect(ledger.openCount == wanted.count, "seed \(seed)")
        }
    }
}
