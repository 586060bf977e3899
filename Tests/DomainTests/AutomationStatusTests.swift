import Domain
import Testing

@Suite("Status of an automation")
struct AutomationStatusTests {
    @Test("every status and every change")
    func table() {
        let expected: [AutomationStatus: (activated: AutomationStatus?, deactivated: AutomationStatus?)] = [
            .draft: (.active, nil),
            .active: (nil, .deprecated),
            .deprecated: (.active, nil),
            .broken: (nil, nil),
        ]
        for status in AutomationStatus.allCases {
            var activated = status
            #expect(((try? activated.activated()) != nil ? activated : nil) == expected[status]?.activated)
            var deactivated = status
            #expect(((try? deactivated.deactivated()) != nil ? deactivated : nil) == expected[status]?.deactivated)
        }
    }

    @Test("a refused change leaves the status as it was")
    func refused() {
        var status = AutomationStatus.broken
        #expect(throws: AutomationStatus.Refusal.notActivatable(.broken)) { try status.activated() }
        #expect(status == .broken)
    }
}

@Suite("Tenants")
struct TenantTests {
    @Test("keys", arguments: ["a", "acme", "a-1", String(repeating: "a", count: 63)])
    func valid(key: String) {
        #expect(Tenant(key)?.key == key)
    }

    @Test("what is no key", arguments: ["", "A", "1a", "-a", "a.b", "a b", "ä", String(repeating: "a", count: 64)])
    func invalid(key: String) {
        #expect(Tenant(key) == nil)
    }
}
