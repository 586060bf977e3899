import AuditExport
import Foundation
import TestSupport
import Testing

@Suite("What is missing")
struct CompletenessTests {
    @Test("an absent entry lies in a range that was sealed")
    func sealed() throws {
        var log = TestLog(entries: 30, lanes: 1)
        log.seal([5...9, 12...12])
        let absent: (Set<Int>) throws -> Outcome = { try TestExport(log, absent: $0).outcome() }
        #expect(try absent([]) == .good)
        #expect(try absent([7]) == .good)
        #expect(try absent(Set(5...9).union([12])) == .good)
        #expect(try absent([4, 5]) == .incomplete("missing", 4))
        #expect(try absent([5, 6, 7, 8, 9, 10, 11]) == .incomplete("missing", 10))
        #expect(try absent([12, 13]) == .incomplete("missing", 13))
        #expect(try absent([29]) == .incomplete("missing", 29))
        // Whoever says that something was sealed must be there.
        #expect(try absent([5, 30]) == .incomplete("missing", 5))
    }

    @Test("ranges may overlap, touch and repeat")
    func ranges() throws {
        var log = TestLog(entries: 30, lanes: 1)
        log.seal([10...14])
        log.seal([12...17, 18...20, 3...4, 3...3, 19...30])
        #expect(try TestExport(log, absent: Set(10...29).union([3, 4])).outcome() == .good)
        #expect(try TestExport(log, absent: Set(10...29).union([3, 4, 9])).outcome() == .incomplete("missing", 9))
    }

    @Test(
        "a range counts if it is two whole numbers in their order, below the entry that says so",
        arguments: [
            (#"{"ranges":[[5,5]]}"#, true), (#"{"more":1,"ranges":[[0,9]]}"#, true),
            (#"{"ranges":[[],null,[5],[5,5,5],["5","5"],[5,5]]}"#, true), (#"{"ranges":[[6,5]]}"#, false),
            (#"{"ranges":[[5,10]]}"#, false), (#"{"ranges":[[0,9007199254740991]]}"#, false),
            (#"{"ranges":[[5,1e+21]]}"#, false),
            (#"{"ranges":[[-1,5]]}"#, false), (#"{"ranges":[[5,5,5]]}"#, false), (#"{"ranges":[["5","5"]]}"#, false),
            (#"{"ranges":[[4.5,5.5]]}"#, false), (#"{"ranges":{"5":5}}"#, false),
            (#"{"ranges":[{"a":5,"b":5}]}"#, false),
            ("null", false), ("[[5,5]]", false), (#"{"ranges":[5,5]}"#, false),
        ]
    )
    func countingRanges(after: String, counts: Bool) throws {
        var log = TestLog(entries: 10, lanes: 1)
        log.add(producer: "engine/b/0", tenant: "batuta", action: "seal", after: after)
        #expect(try TestExport(log, absent: [5]).outcome() == (counts ? .good : .incomplete("missing", 5)))
        for (tenant, action, outcome) in [
            ("default", "seal", "done"), ("batuta", "seals", "done"), ("batuta", "seal", "refused"),
        ] {
            var log = TestLog(entries: 10, lanes: 1)
            log.add(producer: "engine/b/0", tenant: tenant, action: action, after: after, outcome: outcome)
            #expect(try TestExport(log, absent: [5]).outcome() == .incomplete("missing", 5))
        }
    }

    @Test("the numbers of a lane follow each other from 1")
    func numbers() throws {
        let outcome: ([Int64]) throws -> Outcome = { numbers in
            var log = TestLog()
            for number in numbers { log.add(number: number) }
            return try TestExport(log).outcome()
        }
        #expect(try outcome([1, 2, 3]) == .good)
        #expect(try outcome([2]) == .incomplete("gap", "engine/a/0/1/1"))
        #expect(try outcome([1, 3]) == .incomplete("gap", "engine/a/0/1/2"))
        #expect(try outcome([1, 1]) == .incomplete("gap", "engine/a/0/1/2"))
        #expect(try outcome([1, 2, 1]) == .incomplete("gap", "engine/a/0/1/3"))
        #expect(try outcome([1, 2, 9_007_199_254_740_991]) == .incomplete("gap", "engine/a/0/1/3"))
    }

    @Test("each lane of each epoch has its own numbers")
    func lanes() throws {
        var log = TestLog(entries: 9, lanes: 3)
        log.add(producer: "engine/a/0", epoch: 2)
        log.add(producer: "engine/a/0/1", epoch: 1)
        #expect(try TestExport(log).outcome() == .good)
        log.add(producer: "engine/a/0", epoch: 3, number: 2)
        #expect(try TestExport(log).outcome() == .incomplete("gap", "engine/a/0/3/1"))
    }

    @Test("producers are told apart by the bytes of their names")
    func looks() throws {
        var log = TestLog()
        log.add(producer: "caf\u{E9}", number: 1)
        log.add(producer: "cafe\u{301}", number: 1)
        #expect(try TestExport(log).outcome() == .good)
        log.add(producer: "cafe\u{301}", number: 3)
        let fault = try #require(try TestExport(log).verdict().fault)
        #expect(fault.place.utf8.elementsEqual("cafe\u{301}/1/2".utf8))
    }

    @Test("numbers may be passed over where an absent entry can have had them")
    func sealedNumbers() throws {
        // Lane a has 1, 2, absent, 4; lane b begins behind the absent entry.
        var log = TestLog()
        for number in [1, 2, 3, 4] as [Int64] { log.add(producer: "a", number: number) }
        log.add(producer: "b", number: 2)
        log.add(producer: "b", number: 3)
        log.seal([2...2])
        #expect(try TestExport(log, absent: [2]).outcome() == .good)
        log.add(producer: "a", number: 6)
        #expect(try TestExport(log, absent: [2]).outcome() == .incomplete("gap", "a/1/5"))
        // More numbers are passed over than entries are absent.
        for (lane, number, due) in [("a", 6, 3), ("b", 3, 1)] as [(String, Int64, Int)] {
            var log = TestLog()
            for number in [1, 2, 3] as [Int64] { log.add(producer: "a", number: number) }
            log.seal([2...2])
            log.add(producer: lane, number: number)
            #expect(try TestExport(log, absent: [2]).outcome() == .incomplete("gap", "\(lane)/1/\(due)"))
        }
        // Nothing is absent before the second entry, so that nothing can have had its lane's first number.
        var early = TestLog()
        early.add(producer: "a", number: 1)
        early.add(producer: "b", number: 2)
        early.add(producer: "a", number: 2)
        early.seal([2...2])
        #expect(try TestExport(early, absent: [2]).outcome() == .incomplete("gap", "b/1/1"))
        // A number that comes again was not passed over.
        var again = TestLog()
        for number in [1, 2, 2] as [Int64] { again.add(producer: "a", number: number) }
        again.seal([1...1])
        #expect(try TestExport(again, absent: [1]).outcome() == .good)
        again.add(producer: "a", number: 2)
        #expect(try TestExport(again, absent: [1]).outcome() == .incomplete("gap", "a/1/3"))
    }

    @Test("a lane that has ended is there to its end")
    func closings() throws {
        let outcome: (String, Int64, Set<Int>) throws -> Outcome = { lane, last, absent in
            var log = TestLog(entries: 6, lanes: 2)
            log.close(lane, at: last)
            log.seal([0...6])
            return try TestExport(log, absent: absent).outcome()
        }
        #expect(try outcome("engine/a/0", 3, []) == .good)
        #expect(try outcome("engine/a/0", 2, []) == .good)
        #expect(try outcome("engine/a/0", 4, []) == .incomplete("gap", "engine/a/0/1/4"))
        #expect(try outcome("engine/c/0", 0, []) == .good)
        #expect(try outcome("engine/c/0", 1, []) == .incomplete("gap", "engine/c/0/1/1"))
        // An entry behind the lane's last one is absent, or anywhere where the lane has none.
        #expect(try outcome("engine/a/0", 4, [5]) == .good)
        #expect(try outcome("engine/a/0", 4, [3]) == .incomplete("gap", "engine/a/0/1/4"))
        #expect(try outcome("engine/c/0", 1, [0]) == .good)
        #expect(try outcome("engine/c/0", 2, [0]) == .incomplete("gap", "engine/c/0/1/1"))
        #expect(try outcome("engine/a/0", 5, [5]) == .incomplete("gap", "engine/a/0/1/4"))
        #expect(try outcome("engine/a/0", 9_007_199_254_740_991, []) == .incomplete("gap", "engine/a/0/1/4"))
    }

    @Test(
        "an end counts if it names a lane and a number",
        arguments: [
            (#"{"id":"engine/a/0/1"}"#, #"{"audit":9}"#, true), (#"{"id":"engine/a/0/01"}"#, #"{"audit":9}"#, false),
            (#"{"id":"engine/a/0/0"}"#, #"{"audit":9}"#, false), (#"{"id":"engine/a/0/+1"}"#, #"{"audit":9}"#, false),
            (#"{"id":"/1"}"#, #"{"audit":9}"#, false), (#"{"id":"1"}"#, #"{"audit":9}"#, false),
            (#"{"id":1}"#, #"{"audit":9}"#, false), ("{}", #"{"audit":9}"#, false),
            (#"{"id":"engine/a/0/1"}"#, #"{"audit":"9"}"#, false), (#"{"id":"engine/a/0/1"}"#, "null", false),
            (#"{"id":"engine/a/0/1"}"#, #"{"audit":-1}"#, false), (#"{"id":"engine/a/0/1"}"#, #"{"audit":9.5}"#, false),
            (#"{"id":"engine/a/0/9007199254740992"}"#, #"{"audit":9}"#, false),
        ]
    )
    func countingClosings(object: String, after: String, counts: Bool) throws {
        var log = TestLog(entries: 2, lanes: 1)
        log.add(producer: "engine/b/0", action: "lane.closed", object: object, after: after)
        #expect(try TestExport(log).outcome() == (counts ? .incomplete("gap", "engine/a/0/1/3") : .good))
    }

    @Test("absent entries come first, then numbers that were passed over, then ends of lanes")
    func order() throws {
        var log = TestLog()
        log.close("engine/a/0", at: 9)
        log.close("engine/c/0", at: 9)
        #expect(try TestExport(log).outcome() == .incomplete("gap", "engine/a/0/1/1"))
        log.add(producer: "engine/d/0", number: 2)
        #expect(try TestExport(log).outcome() == .incomplete("gap", "engine/d/0/1/1"))
        log.add(producer: "engine/e/0")
        #expect(try TestExport(log, absent: [3]).outcome() == .incomplete("missing", 3))
    }
}
