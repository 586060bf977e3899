import Domain
import Testing

@testable import Messaging

@Suite("The way of an action") struct ActionRouteTests {
    @Test("names follow from tenant and key, and are read back from the key of an answer")
    func names() throws {
        let tenant = try #require(Tenant("acme-2"))
        let route = try #require(ActionRoute(tenant: tenant, action: "student.raise_Level"))
        #expect(route.callKey == "call.acme-2.student.raise_Level")
        #expect(route.queueName == "actions.acme-2.student.raise_Level")
        #expect(route.brokerUser == "batuta_action_acme-2_student.raise_Level")
        #expect(ActionRoute(resultKey: route.resultKey) == route)
        #expect(route.subscription.queue.arguments["x-overflow"] == "reject-publish")
        #expect(route.subscription.bindings.map(\.routingKey) == [route.callKey])
    }

    @Test(
        "anything else is no key of an answer",
        arguments: [
            "", "result", "result.acme", "result.acme.student", "result.acme.student.", "result..student.level",
            "result.Acme.student.level", "result.acme.Student.level", "result.acme.student.level.more",
            "call.acme.student.level", "result.acme.student.level\n", "result.acme.student.#", "result.acme.*.level",
        ]
    )
    func refused(key: String) {
        #expect(ActionRoute(resultKey: key) == nil)
    }
}
