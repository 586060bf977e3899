import PostgreSQL

/// How roles and privileges stand, as far as one database shows them.
struct AccessState: Sendable {
    /// A role that exists.
    struct Role: Sendable {
        var isRestricted: Bool
        var isMember: Bool
        var mayConnect: Bool
        var hasSearchPath: Bool
        /// What the server keeps of its password; nil when it has none or we may not see it.
        var verifier: String?
    }

    var database: String
    var isDatabaseOpen: Bool
    var isPublicSchemaOpen: Bool
    var roles: [ServiceSchema: Role]

    /// What is to be done, in order.
    ///
    /// - Throws: ``PersistenceError/Code/role`` when a role belongs to another, whose rights it could take on.
    func changes(passwords: [ServiceSchema: String]) throws(PersistenceError) -> [AccessChange] {
        var changes: [AccessChange] = []
        for schema in ServiceSchema.allCases {
            let role = roles[schema]
            if let role {
                guard !role.isMember else {
                    throw PersistenceError(
                        .role,
                        "the role \(schema.role) is a member of another role, whose rights it could take on; revoke that"
                    )
                }
                if !role.isRestricted { changes.append(.restrictRole(schema)) }
            } else {
                changes.append(.createRole(schema))
            }
            if let password = passwords[schema], !Self.isSet(password, role?.verifier) {
                changes.append(.setPassword(schema))
            }
            if role?.hasSearchPath != true { changes.append(.setSearchPath(schema)) }
            if role?.mayConnect != true { changes.append(.grantConnect(schema)) }
        }
        // Last, so that nobody who may connect is shut out in between.
        if isDatabaseOpen { changes.append(.closeDatabase) }
        if isPublicSchemaOpen { changes.append(.closePublicSchema) }
        return changes
    }

    private static func isSet(_ password: String, _ verifier: String?) -> Bool {
        guard let verifier, let scram = ScramVerifier(verifier) else { return false }
        return scram.matches(password)
    }
}

extension AccessState {
    static let databaseQuery = PostgresStatement(
        """
        SELECT current_database()::text,
               EXISTS (
                   SELECT FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                   WHERE d.datname = current_database() AND a.grantee = 0
               ),
               EXISTS (
                   SELECT FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                   WHERE n.nspname = 'public' AND a.grantee = 0
               ),
               has_table_privilege('pg_catalog.pg_authid', 'SELECT')
        """,
        isReadOnly: true
    )

    static let rolesQuery = PostgresStatement(
        """
        SELECT r.rolname::text,
               r.rolcanlogin AND NOT (r.rolinherit OR r.rolsuper OR r.rolcreatedb OR r.rolcreaterole
                                      OR r.rolreplication OR r.rolbypassrls),
               EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid),
               EXISTS (
                   SELECT FROM pg_database d, aclexplode(d.datacl) a
                   WHERE d.datname = current_database() AND a.grantee = r.oid AND a.privilege_type = 'CONNECT'
               ),
               EXISTS (
                   SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                   WHERE d.datname = current_database() AND s.setrole = r.oid
                     AND 'search_path=pg_catalog' = ANY (s.setconfig)
               )
        FROM pg_roles r WHERE r.rolname = ANY ($1)
        """,
        [.textArray(ServiceSchema.allCases.map(\.role))],
        isReadOnly: true
    )

    /// Only a superuser may read it.
    static let verifiersQuery = PostgresStatement(
        "SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = ANY ($1)",
        [.textArray(ServiceSchema.allCases.map(\.role))],
        isReadOnly: true
    )

    /// Looks.
    static func read(_ client: PostgresClient) async throws(PostgresError) -> AccessState {
        guard let row = try await client.execute(databaseQuery).first else {
            throw PostgresError(.decoding, "the database did not say its name")
        }
        var roles: [String: Role] = [:]
        for row in try await client.execute(rolesQuery) {
            roles[try row.decode(0)] = Role(
                isRestricted: try row.decode(1),
                isMember: try row.decode(2),
                mayConnect: try row.decode(3),
                hasSearchPath: try row.decode(4)
            )
        }
        if try row.decode(3, as: Bool.self) {
            for row in try await client.execute(verifiersQuery) {
                roles[try row.decode(0, as: String.self)]?.verifier = try row.decode(1)
            }
        }
        var bySchema: [ServiceSchema: Role] = [:]
        for schema in ServiceSchema.allCases { bySchema[schema] = roles[schema.role] }
        return AccessState(
            database: try row.decode(0),
            isDatabaseOpen: try row.decode(1),
            isPublicSchemaOpen: try row.decode(2),
            roles: bySchema
        )
    }
}
