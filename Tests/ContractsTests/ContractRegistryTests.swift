import Contracts
import Testing

/// A contract whose second version counts in cents.
private struct PriceV1: Contract {
    static let type = "test.price"
    static let version = 1
    let euros: Int

    init(decoding body: [UInt8]) throws {
        guard let euros = Int(body.text) else { throw ContractError(.badBody, "no number") }
        self.euros = euros
    }
}

private struct PriceV2: Contract, Equatable {
    static let type = "test.price"
    static let version = 2
    let cents: Int

    init(cents: Int) { self.cents = cents }

    init(decoding body: [UInt8]) throws {
        guard let cents = Int(body.text) else { throw ContractError(.badBody, "no number") }
        self.cents = cents
    }

    init(_ previous: PriceV1) throws {
        let (cents, overflow) = previous.euros.multipliedReportingOverflow(by: 100)
        guard !overflow else { throw ContractError(.badBody, "too much money") }
        self.cents = cents
    }
}

@Suite struct ContractRegistryTests {
    private let registry: ContractRegistry = {
        var registry = ContractRegistry()
        registry.register(PriceV2.self, previous: PriceV1.self) { try PriceV2($0) }
        return registry
    }()

    @Test(arguments: [(2, "250", 250), (1, "250", 25_000)])
    func theCurrentAndThePreviousVersionAreUnderstood(version: Int, body: String, cents: Int) throws {
        let price = try registry.decode(PriceV2.self, type: "test.price", version: version, body: Array(body.utf8))
        #expect(price == PriceV2(cents: cents))
        #expect(registry.currentVersion(of: "test.price") == 2)
    }

    @Test(arguments: [
        ("test.prize", 1, "1", ContractError.Code.unknownType),
        ("test.price", 0, "1", .unknownVersion),
        ("test.price", 3, "1", .unknownVersion),
        ("test.price", 2, "one", .badBody),
        ("test.price", 1, "one", .badBody),
        ("test.price", 1, "9223372036854775807", .badBody),
    ])
    func eachFailureHasACodeOfItsOwn(type: String, version: Int, body: String, code: ContractError.Code) {
        let error = #expect(throws: ContractError.self) {
            try registry.decode(type: type, version: version, body: Array(body.utf8))
        }
        #expect(error?.code == code)
        #expect(error?.isRetryable == false)
    }

    @Test func anotherContractThanExpectedIsAnUnknownType() {
        let error = #expect(throws: ContractError.self) {
            try registry.decode(PriceV1.self, type: "test.price", version: 1, body: Array("1".utf8))
        }
        #expect(error?.code == .unknownType)
    }

    @Test(arguments: [(ContractType.signalsAccepted, 2), (ContractType.auditEntries, 1), (ContractType.auditKeep, 1)])
    func theReleaseKnowsItsContracts(type: String, version: Int) {
        #expect(ContractRegistry.current.currentVersion(of: type) == version)
    }
}
