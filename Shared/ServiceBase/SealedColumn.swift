import Persistence
package import Secrets

/// A column of sealed secrets, and how its rows say what each belongs to.
package struct SealedColumn: Sendable {
    /// What is sealed.
    package let kind: SecretContext.Kind
    private let table: String
    private let column: String
    private let name: String
    private let nameType: String
    private let version: String

    /// - Parameters:
    ///   - kind: What is sealed.
    ///   - table: The table with its schema; it has a column `tenant`.
    ///   - column: The column of the sealed bytes.
    ///   - name: The column of what the context calls a name, unique within a tenant.
    ///   - nameType: Its type in the database.
    ///   - version: An expression of the version that a row's secret was sealed for.
    package init(
        _ kind: SecretContext.Kind,
        table: String,
        column: String,
        name: String,
        nameType: String = "text",
        version: String = "version"
    ) {
        self.kind = kind
        self.table = table
        self.column = column
        self.name = name
        self.nameType = nameType
        self.version = version
    }

    /// A row as it stands.
    struct Row: Sendable {
        var context: SecretContext
        var sealed: [UInt8]
    }

    /// A row, and what is to stand in it.
    struct Replacement: Sendable {
        var row: Row
        var sealed: [UInt8]
    }

    /// How many rows were sealed with other keys than one, by what their bytes begin with.
    func remaining(besides head: [UInt8]) -> PostgresStatement {
        PostgresStatement(
            "SELECT count(*) FROM \(table) WHERE \(isOther("$1"))",
            [.bytes(head)],
            isReadOnly: true
        )
    }

    /// The next rows that were sealed with other keys, locked in their order.
    func next(besides head: [UInt8], after row: Row?, limit: Int) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT tenant, \(name)::text, (\(version))::bigint, \(column) FROM \(table)
            WHERE \(isOther("$1")) AND ($2::text IS NULL OR (tenant, \(name)) > ($2, $3::text::\(nameType)))
            ORDER BY tenant, \(name) LIMIT $4 FOR UPDATE
            """,
            [.bytes(head), .text(row?.context.tenant), .text(row?.context.name), .int(limit)]
        )
    }

    func row(_ row: PostgresRow) throws -> Row {
        Row(
            context: SecretContext(
                kind: kind,
                tenant: try row.decode(0),
                name: try row.decode(1),
                version: try row.decode(2)
            ),
            sealed: try row.decode(3)
        )
    }

    /// Puts other bytes in the place of those that were read, and of no others.
    func replacing(_ replacements: [Replacement]) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE \(table) AS t SET \(column) = n.sealed
            FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS n (tenant, name, old, sealed)
            WHERE t.tenant = n.tenant AND t.\(name) = n.name::\(nameType) AND t.\(column) = n.old
            """,
            [
                .textArray(replacements.map(\.row.context.tenant)), .textArray(replacements.map(\.row.context.name)),
                .bytesArray(replacements.map(\.row.sealed)), .bytesArray(replacements.map(\.sealed)),
            ]
        )
    }

    private func isOther(_ head: String) -> String {
        "\(column) IS NOT NULL AND substring(\(column) FROM 1 FOR octet_length(\(head)::bytea)) <> \(head)"
    }
}
