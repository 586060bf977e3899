import Foundation
import JSON
import NIOHTTP1

extension GatewayClient {
    /// Asks for something, and reads the answer.
    ///
    /// - Throws: ``CommandLineError``: `unreachable` where the gateway does not answer or cannot now, else `answer` with the
    ///   sentence of the refusal.
    func json(
        _ method: HTTPMethod,
        _ path: String,
        query: [URLQueryItem] = [],
        body: JSONValue? = nil,
        idempotencyKey: String? = nil
    ) async throws(CommandLineError) -> JSONValue {
        var bytes: [UInt8]?
        if let body {
            do {
                bytes = try body.canonicalBytes()
            } catch {
                throw CommandLineError(.answer, "the request cannot be written: \(error)")
            }
        }
        let answer = try await ask(method, path, query: query, body: bytes, idempotencyKey: idempotencyKey)
        let value = try? JSONValue(parsing: answer.body, limits: .wrapped)
        guard answer.isSuccess, let value else {
            throw Self.refusal(answer.status, value)
        }
        return value
    }

    /// How often something that takes many requests asks for each of them.
    private static let attempts = 6

    /// Asks for something that takes many requests, and again for a while where the gateway cannot answer now.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - query: The query.
    ///   - method: What to do; doing it twice does no harm.
    /// - Returns: The answer, which is a success.
    /// - Throws: ``CommandLineError`` as ``json(_:_:query:body:idempotencyKey:)`` does; `CancellationError`.
    func patiently(
        _ path: String,
        query: [URLQueryItem] = [],
        method: HTTPMethod = .GET
    ) async throws -> Answer {
        var attempt = 1
        while true {
            do throws(CommandLineError) {
                let answer = try await ask(method, path, query: query)
                guard answer.isSuccess else {
                    throw Self.refusal(answer.status, try? JSONValue(parsing: answer.body, limits: .wrapped))
                }
                return answer
            } catch {
                guard error.isRetryable, attempt < Self.attempts else {
                    throw error
                }
            }
            try await Task.sleep(for: .milliseconds(250 << attempt))
            attempt += 1
        }
    }

    /// What a refusal tells the one who gave the command.
    static func refusal(_ status: Int, _ problem: JSONValue?) -> CommandLineError {
        let mayPass = [408, 429].contains(status) || status >= 500 || problem?["code"]?.stringValue == "in_flight"
        guard let detail = problem?["detail"]?.stringValue else {
            return CommandLineError(mayPass ? .unreachable : .answer, "the gateway answers \(status)")
        }
        let code = problem?["code"]?.stringValue.map { ", \($0)" } ?? ""
        return CommandLineError(mayPass ? .unreachable : .answer, "\(detail) (\(status)\(code))")
    }
}

extension CommandLineError {
    /// The exit code that tells whether the same command may be given again.
    var exitCode: Int32 { isRetryable ? 75 : 1 }
}
