/// One version of what a message's body says.
package protocol Contract: Sendable {
    /// The name of the contract, which all its versions share.
    static var type: String { get }
    /// The version, from 1.
    static var version: Int { get }

    /// Reads a body.
    ///
    /// - Throws: What is wrong with the body; a `ContractError`, or anything else that says so in a sentence.
    init(decoding body: [UInt8]) throws
}
