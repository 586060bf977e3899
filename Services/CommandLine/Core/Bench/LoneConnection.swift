import Foundation

/// A connection whose blocking calls have a queue of their own.
// Sound: the connection is only touched on the serial queue.
final class LoneConnection: @unchecked Sendable {
    private let connection: LoadConnection
    private let queue = DispatchQueue(label: "batuta.bench.lone")

    init(host: String, port: Int) throws(CommandLineError) {
        connection = try LoadConnection(host: host, port: port)
    }

    /// Sends a request and waits for its response, without holding a thread of the cooperative pool.
    func exchange(
        _ request: [UInt8]
    ) async throws -> (sentAt: ContinuousClock.Instant, response: HTTPResponseReader.Response) {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        let response = try self.connection.exchange(request)
                        return (self.connection.sentAt, response)
                    }
                )
            }
        }
    }
}
