/// Which contracts a release understands: by type and version.
///
/// A release consumes the current version of each contract and the one before it. A body of the earlier version is
/// decoded as such and made into the current one by a pure function.
package struct ContractRegistry: Sendable {
    private typealias Decoder = @Sendable ([UInt8]) throws -> any Contract

    private struct Versions: Sendable {
        var current: Int
        var decoders: [Int: Decoder]
    }

    private var contracts: [String: Versions] = [:]

    package init() {}

    /// Adds a contract that has no earlier version.
    package mutating func register<Current: Contract>(_ current: Current.Type) {
        precondition(Current.version == 1, "a later version is registered together with the one before it")
        add(current)
    }

    private mutating func add<Current: Contract>(_ current: Current.Type) {
        contracts[Current.type] = Versions(
            current: Current.version,
            decoders: [Current.version: { body in try Current(decoding: body) }]
        )
    }

    /// Adds a contract with the version before it.
    ///
    /// - Parameters:
    ///   - current: The version that this release writes.
    ///   - previous: The version right before it, of the same type.
    ///   - upcast: Makes the current version of the earlier one; it depends on nothing else.
    package mutating func register<Current: Contract, Previous: Contract>(
        _ current: Current.Type,
        previous: Previous.Type,
        upcast: @escaping @Sendable (Previous) throws -> Current
    ) {
        precondition(Previous.type == Current.type, "an upcaster changes the version, never the type")
        precondition(Previous.version == Current.version - 1, "an upcaster goes from one version to the next")
        add(current)
        contracts[Current.type]?.decoders[Previous.version] = { body in try upcast(Previous(decoding: body)) }
    }

    /// The version of a contract that this release writes; nil where it does not know the contract.
    package func currentVersion(of type: String) -> Int? {
        contracts[type]?.current
    }

    /// Reads a body and makes it the current version of its contract.
    ///
    /// - Throws: `ContractError` with code `unknownType`, `unknownVersion` or `badBody`.
    package func decode(type: String, version: Int, body: [UInt8]) throws(ContractError) -> any Contract {
        guard let versions = contracts[type] else {
            throw ContractError(.unknownType, "no contract is called \(type.prefix(100))")
        }
        guard let decoder = versions.decoders[version] else {
            throw ContractError(.unknownVersion, "\(type) is not understood in version \(version)")
        }
        do {
            return try decoder(body)
        } catch let error as ContractError where error.code == .badBody {
            throw error
        } catch {
            throw ContractError(.badBody, "the body is no \(type) of version \(version): \(error)")
        }
    }

    /// Reads a body whose contract is known to the caller.
    ///
    /// - Throws: As `decode(type:version:body:)`, and `unknownType` where the message is of another contract.
    package func decode<Current: Contract>(
        _ contract: Current.Type,
        type: String,
        version: Int,
        body: [UInt8]
    ) throws(ContractError) -> Current {
        guard let value = try decode(type: type, version: version, body: body) as? Current else {
            throw ContractError(.unknownType, "\(type) came where \(Current.type) was expected")
        }
        return value
    }
}
