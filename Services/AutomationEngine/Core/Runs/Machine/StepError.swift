import JSON

/// Why a step, or one attempt of it, did not succeed; what clients read as its `error`.
struct StepError: Error, Equatable, Sendable {
    /// A stable code.
    var code: String
    /// A sentence for people; it holds no secret.
    var detail: String
    /// Further members: the name of a step, the status of an answer.
    var members: [String: JSONValue] = [:]

    /// This release cannot go on with a run.
    static func notExecutable(_ detail: String) -> StepError {
        StepError(code: "not_executable", detail: detail)
    }

    /// The attempt would not certainly have been this replica's.
    static let leaseLost = StepError(
        code: "lease_lost",
        detail: "The engine's lease had run out before the attempt; nothing was sent."
    )

    /// The RFC 8785 form.
    var bytes: [UInt8] {
        var object: [JSONMember] = members.map { JSONMember($0.key, $0.value) }
        object.append(JSONMember("code", .string(code)))
        object.append(JSONMember("detail", .string(detail)))
        // Members are texts and whole numbers, which have a canonical form.
        return (try? JSONValue.object(object).canonicalBytes()) ?? Array(#"{"code":"unknown"}"#.utf8)
    }

    static func == (left: StepError, right: StepError) -> Bool { left.bytes == right.bytes }
}
