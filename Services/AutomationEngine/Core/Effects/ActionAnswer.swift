import Domain
import FoundationEssentials
import JSON
import Messaging

/// What a service says of a call that it got over the broker.
///
/// `{"status": "succeeded", "output": …}`, or `{"status": "failed", "error": {"code", "detail"}, "retryable", "retry_after"}`.
/// The broker vouches for the routing key, which says whose action it is; nothing else that the message says of its sender
/// is looked at.
struct ActionAnswer: Sendable {
    /// An answer is at most this long, in bytes: an output, and what stands around it.
    static let maximumBytes = RunRecord.maximumOutput + 16 * 1_024
    /// How much of a service's own words is kept, in bytes.
    private static let maximumDetail = 2_048
    private static let maximumCode = 100

    let route: ActionRoute
    let attempt: AttemptName
    /// In the form in which it is stored until its run goes on.
    let outcome: [UInt8]

    /// Reads an answer.
    ///
    /// - Throws: `UnreadableDelivery`, which lies in the data.
    init(_ delivery: Delivery) throws(UnreadableDelivery) {
        guard delivery.exchange == Topology.actionsExchange, let route = ActionRoute(resultKey: delivery.routingKey)
        else {
            throw UnreadableDelivery(reason: "the routing key is not that of an answer: result.<tenant>.<action_key>")
        }
        guard let attempt = delivery.properties.correlationID.flatMap({ AttemptName($0) }) else {
            throw UnreadableDelivery(reason: "the correlation id is not that of a call")
        }
        self.route = route
        self.attempt = attempt
        outcome = try Self.stored(delivery.body)
    }

    private static func stored(_ body: [UInt8]) throws(UnreadableDelivery) -> [UInt8] {
        guard body.count <= maximumBytes else {
            return failed("output_too_large", "The output is longer than 256 KiB.")
        }
        guard let root = try? JSONDocument(parsing: body, limits: .wrapped).root, root.kind == .object else {
            throw UnreadableDelivery(reason: "the body is not a JSON object")
        }
        switch root["status"]?.stringValue {
        case "succeeded":
            let output = root["output"].map { Array($0.rawBytes) } ?? Array("null".utf8)
            guard (try? JSONDocument(parsing: output)) != nil else {
                return failed("invalid_output", "The output is nested too deep.")
            }
            var writer = JSONWriter(capacity: output.count + 64)
            writer.beginObject()
            writer.member("status", "succeeded")
            writer.member("output", raw: output)
            writer.endObject()
            return writer.bytes
        case "failed":
            return try failure(root)
        default:
            throw UnreadableDelivery(reason: "the status is neither \"succeeded\" nor \"failed\"")
        }
    }

    private static func failure(_ root: JSONView) throws(UnreadableDelivery) -> [UInt8] {
        guard let error = root["error"], let detail = error["detail"]?.stringValue else {
            throw UnreadableDelivery(reason: "a failure has no error with a detail")
        }
        let code = error["code"]?.stringValue ?? "action_failed"
        guard error["code"] == nil || error["code"]?.stringValue != nil, (1...maximumCode).contains(code.utf8.count)
        else {
            throw UnreadableDelivery(reason: "the error's code is no text of 1 to \(maximumCode) bytes")
        }
        guard root["retryable"] == nil || root["retryable"]?.boolValue != nil else {
            throw UnreadableDelivery(reason: "retryable is neither true nor false")
        }
        let retryAfter = root["retry_after"]?.stringValue.flatMap { Duration(text: $0) }
        guard root["retry_after"] == nil || retryAfter != nil else {
            throw UnreadableDelivery(reason: "retry_after is no duration such as \"10s\"")
        }
        let excerpt = String(decoding: detail.utf8.prefix(maximumDetail), as: UTF8.self)
        return failed(code, excerpt, isRetryable: root["retryable"]?.boolValue ?? false, retryAfter: retryAfter)
    }

    private static func failed(
        _ code: String,
        _ detail: String,
        isRetryable: Bool = false,
        retryAfter: Duration? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "failed")
        writer.member("error", raw: StepError(code: code, detail: detail).bytes)
        writer.member("retryable", isRetryable)
        if let retryAfter { writer.member("retry_after", retryAfter.text) }
        writer.endObject()
        return writer.bytes
    }

    /// What a stored answer makes of its attempt.
    ///
    /// - Parameters:
    ///   - stored: As ``outcome`` has it.
    ///   - schema: What an output has to suit; nil where the action is not registered any more.
    /// - Returns: That it succeeded or failed.
    static func outcome(_ stored: [UInt8], under schema: ActionSchema?) -> AttemptOutcome {
        guard let root = try? JSONDocument(parsing: stored, limits: .wrapped).root else {
            return .unknown(.notExecutable("This release cannot read the answer."))
        }
        guard root["status"]?.stringValue == "succeeded" else {
            let error = StepError(
                code: root["error"]?["code"]?.stringValue ?? "action_failed",
                detail: root["error"]?["detail"]?.stringValue ?? ""
            )
            return .failed(
                AttemptOutcome.Failure(
                    error: error,
                    isRetryable: root["retryable"]?.boolValue ?? false,
                    retryAfter: root["retry_after"]?.stringValue.flatMap { Duration(text: $0) }
                )
            )
        }
        let output = root["output"].map { Array($0.rawBytes) } ?? Array("null".utf8)
        do throws(StepError) {
            try schema?.require(output, orElse: "invalid_output")
            return .succeeded(output: output)
        } catch {
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: false))
        }
    }
}
