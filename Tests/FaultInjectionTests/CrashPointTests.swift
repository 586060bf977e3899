import Testing

@testable import FaultInjection

@Suite struct CrashOrderTests {
    @Test(arguments: CrashPoint.allCases)
    func everyNameIsUnderstoodWithAndWithoutAnArrival(point: CrashPoint) throws {
        #expect(try parse(point.rawValue) == CrashOrder(point: point, arrival: 1))
        #expect(try parse("\(point.rawValue):1") == CrashOrder(point: point, arrival: 1))
        #expect(try parse("\(point.rawValue):42") == CrashOrder(point: point, arrival: 42))
    }

    @Test func theNamesAreTheContractWithTheFaultTests() {
        #expect(
            CrashPoint.allCases.map(\.rawValue) == [
                "after_commit_before_publish", "after_publish_before_watermark", "after_delivery_before_commit",
                "after_commit_before_ack", "in_audit_append", "before_checkpoint_is_kept",
                "after_checkpoint_is_kept", "before_effect",
                "after_effect_before_record", "during_takeover",
            ]
        )
        #expect(Set(CrashPoint.allCases.map(\.number)).count == CrashPoint.allCases.count)
        #expect(!CrashPoint.allCases.map(\.number).contains(0))
    }

    @Test func nothingIsArmedWhereNothingIsAskedFor() throws {
        #expect(try CrashOrder.parse([:]) == nil)
        #expect(try CrashOrder.parse([CrashOrder.variable: ""]) == nil)
        #expect(try CrashOrder.parse([CrashOrder.permissionVariable: "1"]) == nil)
        #expect(try CrashPoints.arm(from: [:]) == nil)
    }

    @Test(arguments: [nil, "", "0", "true", "11"])
    func itIsRefusedWhereFaultsAreNotAllowed(permission: String?) {
        var environment = [CrashOrder.variable: "in_audit_append"]
        environment[CrashOrder.permissionVariable] = permission
        let error = #expect(throws: FaultInjectionError.self) { try CrashPoints.arm(from: environment) }
        #expect(error?.code == .notAllowed)
        #expect(error?.message.contains("BATUTA_ALLOW_FAULTS=1") == true)
        #expect(error?.code.isRetryable == false)
    }

    @Test(arguments: ["after_lunch", ":1", "In_Audit_Append", "in_audit_append ", " in_audit_append", "in_audit"])
    func anUnknownNameStopsTheStartWithASentence(text: String) {
        let error = #expect(throws: FaultInjectionError.self) { try parse(text) }
        #expect(error?.code == .unknownPoint)
        #expect(error?.message.hasPrefix("BATUTA_CRASH_AT ") == true)
        #expect(error?.message.contains("after_commit_before_ack") == true)
    }

    @Test(arguments: ["", "0", "-1", "+1", "1.5", "one", "1:2", "99999999999999999999", "1000000001", "1 "])
    func aBadArrivalStopsTheStart(arrival: String) {
        let error = #expect(throws: FaultInjectionError.self) { try parse("in_audit_append:\(arrival)") }
        #expect(error?.code == .badArrival)
    }

    private func parse(_ text: String) throws -> CrashOrder? {
        try CrashOrder.parse([CrashOrder.variable: text, CrashOrder.permissionVariable: "1"])
    }
}

@Suite struct CrashCountdownTests {
    @Test func nothingFiresWhileNothingIsArmed() {
        let countdown = CrashCountdown()
        for point in CrashPoint.allCases {
            #expect(!countdown.arrive(at: point))
        }
    }

    @Test(arguments: CrashPoint.allCases)
    func onlyTheArmedPointCountsAndOnlyTheAskedForArrivalFires(point: CrashPoint) {
        let countdown = CrashCountdown()
        countdown.arm(CrashOrder(point: point, arrival: 3))
        var fired: [Int] = []
        for arrival in 1...6 {
            for other in CrashPoint.allCases where other != point {
                #expect(!countdown.arrive(at: other))
            }
            if countdown.arrive(at: point) { fired.append(arrival) }
        }
        #expect(fired == [3])
    }

    @Test func concurrentArrivalsFireExactlyOnce() async {
        let countdown = CrashCountdown()
        countdown.arm(CrashOrder(point: .afterCommitBeforeAck, arrival: 500))
        let fired = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<250).count { _ in countdown.arrive(at: .afterCommitBeforeAck) }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(fired == 1)
    }
}
