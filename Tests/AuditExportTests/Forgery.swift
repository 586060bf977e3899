import TestSupport

/// A change of an export that somebody would make on purpose.
struct Forgery: Sendable {
    /// How the change is made from a good export, and what is to be found then.
    typealias Make = @Sendable (_ base: TestExport, _ random: inout SeededGenerator) throws -> MutationCase

    let name: String
    let make: Make

    init(_ name: String, make: @escaping Make) {
        self.name = name
        self.make = make
    }

    static let all = entries + histories + notes + forms
}
