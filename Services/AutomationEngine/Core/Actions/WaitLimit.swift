import Domain
import JSON

/// How long a step waits at most for what others bring: the member `within` of its input.
enum WaitLimit {
    static let member = "within"

    /// Reads a resolved input.
    ///
    /// - Parameters:
    ///   - input: The input, which has no faults.
    ///   - standard: The limit where the input does not say it.
    /// - Returns: The limit.
    static func read(_ input: JSONView?, orElse standard: Duration) -> Duration {
        input?[member]?.stringValue.flatMap(Duration.init(text:)) ?? standard
    }

    /// What is wrong with it; what a template decides is left out unless it is resolved.
    static func faults(of input: JSONView?, isResolved: Bool) -> [InputFault] {
        guard let limit = input?[member], isResolved || !(limit.stringValue?.contains("{{") ?? false) else {
            return []
        }
        guard let duration = limit.stringValue.flatMap(Duration.init(text:)), duration > .zero,
            duration <= Delay.maximum
        else {
            let detail = "within is a duration such as \"24h\", at most \"366d\"."
            return [InputFault(member: member, code: "invalid_duration", detail: detail)]
        }
        return []
    }
}
