import Domain
import JSON

/// An action: what a step can do.
///
/// Declared once; the registry is the only way to it.
struct ActionDeclaration: Sendable {
    /// `area.verb`.
    var key: String
    var title: String
    var description: String
    /// Of the resolved input.
    var input: ActionSchema
    var output: ActionSchema
    /// Whether an attempt of unknown outcome may simply be repeated.
    var isIdempotent: Bool
    /// Whether a dry run can say what its output could be.
    var canSimulate: Bool
    /// How long an attempt may take where its step says nothing of it; nil for an action that makes none.
    var timeout: Duration?
    /// What a step has that says nothing of it.
    var retry: RetryPolicy

    /// Writes an action of the engine's own as clients read it.
    func writeBuiltIn(to writer: inout JSONWriter) {
        writer.beginObject()
        writeMembers(to: &writer)
        writer.member("kind", "built_in")
        writer.endObject()
    }

    /// Writes the members that every action has, as clients read it.
    func writeMembers(to writer: inout JSONWriter) {
        writer.member("action_key", key)
        writer.member("title", title)
        writer.member("description", description)
        for (name, schema) in [("input_schema", input), ("output_schema", output)] {
            writer.member(name, raw: try? schema.source.canonicalBytes())
        }
        writer.member("idempotent", isIdempotent)
        writer.member("simulates", canSimulate)
        writer.member("timeout", timeout?.text)
        writer.key("retry")
        retry.write(to: &writer)
        writer.member("run_type", RunRecord.type)
        writer.member("run_subtype", "\(RunRecord.type):{automation_key}")
    }
}

extension RetryPolicy {
    /// Writes the policy as a definition states it.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("max_attempts", Int64(maximumAttempts))
        writer.member("delay", delay.text)
        writer.member("backoff", backoff.rawValue)
        writer.member("max_delay", maximumDelay.text)
        writer.member("jitter", hasJitter)
        writer.endObject()
    }
}
