import ArgumentParser
import Persistence

/// Where the database is: an option that every command of its owner has.
struct DatabaseOptions: ParsableArguments {
    static let urlName = "BATUTA_DATABASE_ADMIN_URL"

    @Option(
        name: .long,
        help:
            "postgres://user:password@host:port/database; otherwise \(urlName) or the file that \(urlName)_FILE names."
    )
    var databaseURL: String?

    /// The settings of one session without a limit to how long a statement may take.
    ///
    /// - Throws: `ValidationError` when there is no address, or none that can be used; it never repeats it.
    func configuration(applicationName: String) throws -> PostgresConfiguration {
        guard let url = try databaseURL ?? EnvironmentSetting.value(Self.urlName) else {
            throw ValidationError("Give the database's address with --database-url or \(Self.urlName).")
        }
        do {
            var configuration = Migrator.configuration(try PostgresConfiguration(url: url))
            configuration.applicationName = applicationName
            return configuration
        } catch {
            throw ValidationError(error.message)
        }
    }
}
