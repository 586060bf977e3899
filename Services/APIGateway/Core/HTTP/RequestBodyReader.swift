import Contracts
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads bodies up to a limit.
enum RequestBodyReader {
    /// The whole body.
    ///
    /// - Throws: `GatewayProblem` with 413 as soon as the body is known to be too large, before it is read whole; 400
    ///   where the connection ends before the body.
    static func read(_ request: Request, limit: Int) async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > limit {
            throw tooLarge(limit)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(announced ?? 1_024, limit))
        do {
            for try await buffer in request.body {
                guard buffer.readableBytes <= limit - bytes.count else {
                    throw tooLarge(limit)
                }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch let problem as GatewayProblem {
            throw problem
        } catch {
            throw GatewayProblem(.invalidRequest)
        }
        return bytes
    }

    private static func tooLarge(_ limit: Int) -> GatewayProblem {
        GatewayProblem(
            .tooLarge,
            Sentence(
                "The body is larger than the limit of \(limit) bytes.",
                "El cuerpo supera el límite de \(limit) bytes."
            )
        )
    }
}
