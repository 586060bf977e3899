/// The stable codes of problems; a client may rely on the code and the status, never on the sentence.
package enum ProblemCode: String, CaseIterable, Sendable {
    case invalidRequest = "invalid_request"
    case invalidJSON = "invalid_json"
    case invalidEvent = "invalid_event"
    case invalidCursor = "invalid_cursor"
    case unauthenticated
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case requestTimeout = "request_timeout"
    case keyTaken = "key_taken"
    case wrongState = "wrong_state"
    case inFlight = "in_flight"
    case limitReached = "limit_reached"
    case staleVersion = "stale_version"
    case preconditionFailed = "precondition_failed"
    case tooLarge = "too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case invalidContent = "invalid_content"
    case invalidDefinition = "invalid_definition"
    case unsupportedFeature = "unsupported_feature"
    case unknownAction = "unknown_action"
    case invalidStatusInBody = "invalid_status_in_body"
    case idempotencyKeyReused = "idempotency_key_reused"
    case notProcessable = "not_processable"
    case preconditionRequired = "precondition_required"
    case rateLimited = "rate_limited"
    case internalError = "internal"
    case unknownRequest = "unknown_request"
    case unavailable
    case timeout

    /// The HTTP status that goes with the code.
    package var status: Int {
        switch self {
        case .invalidRequest, .invalidJSON, .invalidEvent, .invalidCursor: 400
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .keyTaken, .wrongState, .inFlight, .limitReached, .staleVersion: 409
        case .preconditionFailed: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .invalidContent, .invalidDefinition, .unsupportedFeature, .unknownAction, .invalidStatusInBody,
            .idempotencyKeyReused, .notProcessable:
            422
        case .preconditionRequired: 428
        case .rateLimited: 429
        case .internalError: 500
        case .unknownRequest: 501
        case .unavailable: 503
        case .timeout: 504
        }
    }

    /// Whether the same request can succeed later without being changed.
    package var isRetryable: Bool {
        switch self {
        case .inFlight, .limitReached, .rateLimited, .requestTimeout, .unavailable, .timeout: true
        case .invalidRequest, .invalidJSON, .invalidEvent, .invalidCursor, .unauthenticated, .forbidden, .notFound,
            .methodNotAllowed, .notAcceptable, .keyTaken, .wrongState, .staleVersion, .preconditionFailed,
            .tooLarge, .unsupportedMediaType, .invalidContent, .invalidDefinition, .unsupportedFeature, .unknownAction,
            .invalidStatusInBody,
            .idempotencyKeyReused, .notProcessable, .preconditionRequired, .internalError, .unknownRequest:
            false
        }
    }

    /// The code that stands for a status where a peer named none that is known here.
    package static func standing(for status: Int) -> ProblemCode {
        switch status {
        case 401: .unauthenticated
        case 403: .forbidden
        case 404: .notFound
        case 405: .methodNotAllowed
        case 406: .notAcceptable
        case 408: .requestTimeout
        case 409: .wrongState
        case 412: .preconditionFailed
        case 413: .tooLarge
        case 415: .unsupportedMediaType
        case 422: .invalidDefinition
        case 428: .preconditionRequired
        case 429: .rateLimited
        case 501: .unknownRequest
        case 503: .unavailable
        case 504: .timeout
        case 400..<500: .invalidRequest
        default: .internalError
        }
    }
}
