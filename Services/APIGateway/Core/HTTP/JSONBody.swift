import Contracts
import HTTPTypes
import JSON

/// Bodies that must be JSON.
enum JSONBody {
    /// The deepest nesting of a body.
    static let maximumDepth = 64

    /// Reads a body as strict JSON.
    ///
    /// - Throws: `GatewayProblem` with 400, which names the place of the first error, or 413.
    static func document(_ bytes: [UInt8], limit: Int, depth: Int = maximumDepth) throws -> JSONDocument {
        do {
            return try JSONDocument(
                parsing: bytes,
                limits: JSONLimits(maximumBytes: limit, maximumDepth: depth)
            )
        } catch {
            if error.code == .tooLarge {
                throw GatewayProblem(.tooLarge)
            }
            throw GatewayProblem(
                .invalidJSON,
                Sentence(
                    "The body is not valid JSON: \(error.message).",
                    "El cuerpo no es JSON válido (línea \(error.line), columna \(error.column))."
                )
            )
        }
    }

    /// Reads a body that must be a JSON object sent as `application/json`.
    static func object(of request: GatewayRequest, limit: Int) throws -> JSONDocument {
        guard let type = request.headers[.contentType].flatMap({ MediaType($0) }),
            type.essence == "application/json", type.isUTF8
        else {
            throw GatewayProblem(
                .unsupportedMediaType,
                Sentence("Send application/json.", "Envíe application/json.")
            )
        }
        let document = try document(request.body, limit: limit)
        guard document.root.kind == .object else {
            throw GatewayProblem(
                .invalidRequest,
                Sentence("The body must be a JSON object.", "El cuerpo debe ser un objeto JSON.")
            )
        }
        return document
    }
}
