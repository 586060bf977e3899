/// One SQL statement with its parameters.
///
/// It is prepared once per connection and found again by its text, so the text should be a constant and everything
/// that varies a parameter.
package struct PostgresStatement: Sendable {
    /// How a statement goes over the wire.
    package enum Mode: Sendable, Hashable {
        /// Prepared per connection, with binary results.
        case prepared
        /// Parsed anew each time, with results as text: for DDL and what runs once.
        case simple
    }

    /// The text, with `$1`, `$2`, … for the parameters.
    package let sql: String
    /// How it goes over the wire.
    package let mode: Mode
    /// Whether it changes nothing.
    ///
    /// Only then is a lost answer of an autocommitted statement a plain lost connection.
    package let isReadOnly: Bool

    /// The types of the parameters; part of the key of the prepared statement.
    let types: [PostgresType]
    /// All values, one after another, and one byte more, so that the storage always has an address.
    let storage: [UInt8]
    /// Where each value lies in the storage; nil is NULL.
    let ranges: [Range<Int>?]
    private let holdsNUL: Bool

    package init(
        _ sql: String,
        _ parameters: [PostgresValue] = [],
        mode: Mode = .prepared,
        isReadOnly: Bool = false
    ) {
        self.sql = sql
        self.mode = mode
        self.isReadOnly = isReadOnly
        types = parameters.map(\.type)
        var storage: [UInt8] = []
        storage.reserveCapacity(parameters.reduce(1) { $0 + ($1.payload?.count ?? 0) })
        ranges = parameters.map { value in
            guard let payload = value.payload else { return nil }
            let start = storage.count
            storage.append(contentsOf: payload)
            return start..<storage.count
        }
        storage.append(0)
        self.storage = storage
        holdsNUL = parameters.contains(where: \.holdsNUL) || sql.utf8.contains(0)
    }

    /// A statement that is not prepared and whose results are text, for DDL.
    package static func simple(_ sql: String) -> PostgresStatement {
        PostgresStatement(sql, mode: .simple)
    }

    /// The protocol counts parameters in 16 bits.
    static let maximumParameters = 65_535
    /// A message ends below 1 GiB.
    static let maximumBytes = 1_000_000_000

    /// Throws for what the server could not take or would misread.
    func validate() throws(PostgresError) {
        guard types.count <= Self.maximumParameters else {
            throw PostgresError(.encoding, "\(types.count) parameters are more than the protocol's 65535")
        }
        guard storage.count <= Self.maximumBytes else {
            throw PostgresError(.encoding, "the parameters are longer than a message may be")
        }
        guard !holdsNUL else {
            throw PostgresError(.encoding, "a text with a NUL character cannot be stored")
        }
    }
}
