import Domain
import Testing

@Suite("Status of an automation")
struct AutomationStatusTests {
    @Test("every status and every change")
    func table() {
        struct Changes {
            var activated: AutomationStatus?
            var deactivated: AutomationStatus?
            var edited: AutomationStatus
            var mayBeDeleted = false
        }
        let expected: [AutomationStatus: Changes] = [
            .draft: Changes(activated: .active, edited: .draft, mayBeDeleted: true),
            .active: Changes(deactivated: .deprecated, edited: .active),
            .deprecated: Changes(activated: .active, edited: .deprecated),
            .broken: Changes(edited: .draft),
        ]
        for status in AutomationStatus.allCases {
            var activated = status
            #expect(((try? activated.activated()) != nil ? activated : nil) == expected[status]?.activated)
            var deactivated = status
            #expect(((try? deactivated.deactivated()) != nil ? deactivated : nil) == expected[status]?.deactivated)
            var edited = status
            edited.edited()
            #expect(edited == expected[status]?.edited)
            #expect(((try? status.deleted()) != nil) == expected[status]?.mayBeDeleted)
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
