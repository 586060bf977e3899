import Persistence
import ServiceRuntime

/// The database cannot be used at the start: it is away, or has no connection left.
struct DatabaseAwayError: OperatorFacingError {
    let cause: PersistenceError

    var description: String {
        "The database of BATUTA_DATABASE_URL cannot be used: \(cause.cause?.message ?? cause.message). See to it that it "
            + "runs and has a connection left for this service, and start the service again."
    }
}
