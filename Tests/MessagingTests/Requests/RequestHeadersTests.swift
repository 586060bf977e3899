import Contracts
import Testing

@testable import Messaging

@Suite struct RequestHeadersTests {
    private static let context = RequestContext(
        tenant: "acme",
        actor: AuditActor(type: .admin, id: "root", via: "token:1"),
        requestID: "r",
        idempotencyKey: "k",
        traceparent: "t"
    )

    @Test func whatIsWrittenIsRead() throws {
        let read = try RequestHeaders.read(RequestHeaders.write(Self.context, remaining: .seconds(10)))
        var expected = Self.context
        expected.deadline = read.deadline
        #expect(read == expected)
        let left = ContinuousClock.now.duration(to: read.deadline)
        #expect(left > .seconds(9) && left < .seconds(11))
    }

    @Test(
        arguments: [
            ("x-deadline", nil), ("x-deadline", HeaderValue.string("1")), ("x-deadline", .int64(-1)), ("x-tenant", nil),
            ("x-tenant", .string("A")), ("x-actor-type", .string("cat")), ("x-actor-type", nil), ("x-actor-id", nil),
            ("x-request-id", .string("")),
        ] as [(String, HeaderValue?)]
    )
    func aWrongHeaderIsNamed(name: String, value: HeaderValue?) {
        var headers = RequestHeaders.write(Self.context, remaining: .seconds(10))
        headers[name] = value
        let error = #expect(throws: ContractError.self) { try RequestHeaders.read(headers) }
        #expect(error?.code == .badHeader)
        #expect(error?.message.hasPrefix(name) == true)
    }

    @Test func aDeadlineOfTheFarFutureOrPastDoesNoHarm() throws {
        var headers = RequestHeaders.write(Self.context, remaining: .seconds(10))
        headers["x-deadline"] = .int64(.max)
        #expect(try RequestHeaders.read(headers).deadline > .now)
        headers["x-deadline"] = .int64(1)
        #expect(try RequestHeaders.read(headers).deadline < .now)
    }
}
