import CPostgreSQL
import Glibc

/// A connection on its way from the thread that made it to the one that will own it.
// Sound: exactly one thread holds it at a time; the mailbox is the hand-over.
struct ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// Makes connections.
///
/// It blocks, on name resolution, TLS and the password's hashing, so it has a thread of its own.
enum Connector {
    static func connect(_ configuration: PostgresConfiguration) -> Result<ConnectionHandle, PostgresError> {
        let parameters = configuration.connectionParameters()
        let keywords = parameters.map { strdup($0.keyword) }
        let values = parameters.map { strdup($0.value) }
        defer { for text in keywords + values { free(text) } }
        let connection = PQconnectdbParams(
            keywords.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            0
        )
        guard let connection else { return .failure(PostgresError(.system, "out of memory for a connection")) }
        guard PQstatus(connection) == CONNECTION_OK else {
            let error = failure(of: connection)
            PQfinish(connection)
            return .failure(error)
        }
        // Warnings would be printed to standard error; whoever owns the connection listens to them.
        _ = PQsetNoticeReceiver(connection, { _, _ in }, nil)
        guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else {
            PQfinish(connection)
            return .failure(PostgresError(.connectionFailed, "the connection refused pipeline mode"))
        }
        return .success(ConnectionHandle(pointer: connection))
    }

    /// libpq 15 gives no code for a failure to connect, only a text.
    private static func failure(of connection: OpaquePointer) -> PostgresError {
        let message = errorMessage(of: connection)
        // A connection that merely broke during the handshake says SSL too, and is not among these.
        let isTLS = ["certificate", "SSL error", "not support SSL", "channel binding"].contains { message.contains($0) }
        return PostgresError(isTLS ? .tls : .connectionFailed, message)
    }

    static func errorMessage(of connection: OpaquePointer) -> String {
        let text = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
