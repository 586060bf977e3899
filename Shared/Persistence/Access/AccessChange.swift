/// One thing about roles and privileges that is not as it must be, and what puts it right.
package enum AccessChange: Hashable, Sendable {
    /// The role does not exist.
    case createRole(ServiceSchema)
    /// The role may not log in, or may do more than log in.
    case restrictRole(ServiceSchema)
    /// The role's password is another, or cannot be seen to be the same.
    case setPassword(ServiceSchema)
    /// Names that are not qualified would be looked up elsewhere than in the system's own schema.
    case setSearchPath(ServiceSchema)
    /// The role cannot connect once everybody's right to is gone.
    case grantConnect(ServiceSchema)
    /// Everybody may connect or make temporary tables.
    case closeDatabase
    /// Everybody may use the schema `public`.
    case closePublicSchema

    /// Whether it sets a password.
    var isPassword: Bool {
        if case .setPassword = self { true } else { false }
    }

    /// The command, without a password.
    ///
    /// - Parameters:
    ///   - database: The database's name.
    ///   - verifier: What ``setPassword(_:)`` stores.
    /// - Returns: One statement.
    func sql(database: String, verifier: String?) -> String {
        let database = SQLText.identifier(database)
        switch self {
        case .createRole(let schema):
            return "CREATE ROLE \(SQLText.identifier(schema.role)) LOGIN NOINHERIT"
        case .restrictRole(let schema):
            return """
                ALTER ROLE \(SQLText.identifier(schema.role)) LOGIN NOINHERIT \
                NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
                """
        case .setPassword(let schema):
            let password = verifier.map(SQLText.literal) ?? "NULL"
            return "ALTER ROLE \(SQLText.identifier(schema.role)) PASSWORD \(password)"
        case .setSearchPath(let schema):
            return "ALTER ROLE \(SQLText.identifier(schema.role)) IN DATABASE \(database) SET search_path = pg_catalog"
        case .grantConnect(let schema):
            return "GRANT CONNECT ON DATABASE \(database) TO \(SQLText.identifier(schema.role))"
        case .closeDatabase:
            return "REVOKE CONNECT, TEMPORARY ON DATABASE \(database) FROM PUBLIC"
        case .closePublicSchema:
            return "REVOKE ALL ON SCHEMA public FROM PUBLIC"
        }
    }
}

extension AccessChange: CustomStringConvertible {
    package var description: String {
        switch self {
        case .createRole(let schema): "create the role \(schema.role)"
        case .restrictRole(let schema): "restrict the role \(schema.role) to logging in"
        case .setPassword(let schema): "set the password of the role \(schema.role)"
        case .setSearchPath(let schema): "set the search path of the role \(schema.role)"
        case .grantConnect(let schema): "let the role \(schema.role) connect"
        case .closeDatabase: "take CONNECT and TEMPORARY on the database from everybody else"
        case .closePublicSchema: "take the schema public from everybody"
        }
    }
}
