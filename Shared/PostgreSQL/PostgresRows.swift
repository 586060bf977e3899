/// The rows that a statement returned, decoded only when asked.
package struct PostgresRows: Sendable, RandomAccessCollection {
    let result: PostgresResult
    /// The number of rows.
    package let count: Int

    init(_ result: PostgresResult) {
        self.result = result
        count = result.rowCount
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    /// How many rows the command inserted, updated, deleted or selected.
    package var affectedRows: Int { result.affectedRows }

    /// The names of the columns, in order.
    package var columnNames: [String] {
        (0..<result.columnCount).map(result.columnName)
    }

    /// The position of a column, for loops that should not look names up.
    package func columnIndex(named name: String) -> Int? {
        result.columnIndex(named: name)
    }

    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "row \(position) of \(count)")
        return PostgresRow(result: result, index: position)
    }
}

/// One row of a result.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let index: Int

    /// The value of a column by its position, from 0.
    package func decode<Value: PostgresDecodable>(
        _ column: Int,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard column >= 0, column < result.columnCount else {
            throw PostgresError(.decoding, "column \(column) does not exist; the result has \(result.columnCount)")
        }
        do {
            return try result.withCell(row: index, column: column) { (cell) throws(PostgresError) in
                try Value.decode(cell)
            }
        } catch {
            var error = error
            error.message = "column \(result.columnName(column)): \(error.message)"
            throw error
        }
    }

    /// The value of a column by its name.
    package func decode<Value: PostgresDecodable>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let position = result.columnIndex(named: column) else {
            throw PostgresError(.decoding, "the result has no column named \(column)")
        }
        return try decode(position, as: type)
    }

    /// Lends the raw bytes of a column, nil for NULL, without copying; they end with the closure.
    package func withBytes<R>(
        _ column: Int,
        _ body: (UnsafeRawBufferPointer?) throws(PostgresError) -> R
    ) throws(PostgresError) -> R {
        guard column >= 0, column < result.columnCount else {
            throw PostgresError(.decoding, "column \(column) does not exist; the result has \(result.columnCount)")
        }
        return try result.withCell(row: index, column: column) { (cell) throws(PostgresError) in
            try body(cell.bytes)
        }
    }
}
