import CPostgreSQL

/// Owns one `PGresult` and clears it exactly once.
// Sound: libpq never changes a finished result, reading it from several threads is allowed, and nobody else holds it.
final class PostgresResult: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the result.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }

    /// The count in the command tag; 0 for commands without one.
    var affectedRows: Int {
        guard let tuples = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: tuples)) ?? 0
    }

    /// The command tag, such as `COMMIT` or `INSERT 0 1`.
    var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    /// The position of a column, by its exact name.
    func columnIndex(named name: String) -> Int? {
        for column in 0..<columnCount {
            if let text = PQfname(pointer, Int32(column)), String(cString: text) == name { return column }
        }
        return nil
    }

    func columnName(_ column: Int) -> String {
        PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }

    /// Lends one value; row and column are within bounds.
    func withCell<R>(
        row: Int,
        column: Int,
        _ body: (PostgresCell) throws(PostgresError) -> R
    ) throws(PostgresError) -> R {
        defer { extendLifetime(self) }
        let (row, column) = (Int32(row), Int32(column))
        var bytes: UnsafeRawBufferPointer?
        if PQgetisnull(pointer, row, column) == 0 {
            bytes = UnsafeRawBufferPointer(
                start: PQgetvalue(pointer, row, column),
                count: Int(PQgetlength(pointer, row, column))
            )
        }
        return try body(
            PostgresCell(
                type: PostgresType(rawValue: PQftype(pointer, column)),
                isBinary: PQfformat(pointer, column) == 1,
                bytes: bytes
            )
        )
    }
}
