import Domain
import JSON
import OutboundHTTP
import Templates

extension DefinitionReader {
    /// How long an attempt may take at most.
    static let maximumTimeout = Duration.seconds(300)
    /// How many attempts a step may have at most.
    static let maximumAttempts: Int64 = 100

    /// Reads one step.
    ///
    /// - Parameters:
    ///   - step: An object.
    ///   - name: Its name; nil where that is wrong.
    ///   - earlier: The names of the steps before it, which it may refer to.
    ///   - pointer: Where it stands.
    /// - Returns: The step; nil where it has faults, which are noted.
    mutating func readStep(
        _ step: JSONView,
        name: String?,
        after earlier: [String],
        at pointer: JSONPointer
    ) -> AutomationDefinition.Step? {
        refuseUnknown(
            step,
            known: ["name", "action_key", "input", "when", "retry", "timeout", "on_error", "idempotent"],
            unsupported: ["for_each", "needs"],
            at: pointer
        )
        let before = faults.count
        let action = readAction(step["action_key"], at: pointer.appending("action_key"))
        let input = readInput(step["input"], after: earlier, at: pointer.appending("input"))
        let when = readPattern(step["when"], at: pointer.appending("when"))
        let retry = readRetry(step["retry"], of: action, at: pointer.appending("retry"))
        let timeout = readTimeout(step["timeout"], at: pointer.appending("timeout"))
        let onError = readOnError(step["on_error"], at: pointer.appending("on_error"))
        let isIdempotent = readIdempotent(step["idempotent"], at: pointer.appending("idempotent"))
        if let action {
            checkInput(step["input"], of: action, at: pointer.appending("input"))
        }
        if action == .delay {
            for member in ["retry", "timeout"] where step[member] != nil {
                add(pointer.appending(member), "invalid_value", "flow.delay makes no attempt, so it has no \(member).")
            }
        }
        guard faults.count == before, let name, let action, let input else {
            return nil
        }
        return AutomationDefinition.Step(
            name: name,
            action: action,
            input: input,
            when: when,
            retry: retry,
            timeout: timeout,
            onError: onError,
            isIdempotent: isIdempotent ?? action.isIdempotent(step["input"])
        )
    }

    private mutating func readInput(_ input: JSONView?, after earlier: [String], at pointer: JSONPointer) -> Template? {
        let view: JSONView
        switch input {
        case .some(let input): view = input
        case .none:
            guard let empty = try? JSONDocument(parsing: "{}") else {
                return nil
            }
            view = empty.root
        }
        guard view.kind == .object else {
            add(pointer, "invalid_type", "The input must be an object.")
            return nil
        }
        let before = faults.count
        checkNumbers(view, at: pointer)
        do throws(TemplateFaults) {
            let template = try Template(compiling: view, at: pointer)
            for fault in template.check(steps: Set(earlier)) {
                add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return faults.count == before ? template : nil
        } catch {
            for fault in error.faults {
                add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return nil
        }
    }

    /// Refuses numbers that a double does not keep.
    private mutating func checkNumbers(_ value: JSONView, at pointer: JSONPointer) {
        switch value.kind {
        case .null, .bool, .string:
            break
        case .number:
            if let number = value.number, !number.survivesDouble {
                add(pointer, "inexact_number", "The number \(number) does not survive a double; write it as a string.")
            }
        case .array:
            for (index, element) in value.elements.enumerated() {
                checkNumbers(element, at: pointer.appending(index))
            }
        case .object:
            for member in value.members {
                checkNumbers(member.value, at: pointer.appending(member.key))
            }
        }
    }

    private mutating func readRetry(
        _ retry: JSONView?,
        of action: BuiltInAction?,
        at pointer: JSONPointer
    ) -> RetryPolicy? {
        guard let retry else {
            return nil
        }
        guard retry.kind == .object else {
            add(pointer, "invalid_type", "retry must be an object.")
            return nil
        }
        refuseUnknown(
            retry,
            known: ["max_attempts", "delay", "backoff", "max_delay", "jitter"],
            unsupported: [],
            at: pointer
        )
        var policy = RetryPolicy.standard
        if let attempts = retry["max_attempts"] {
            if let count = attempts.int64Value, (1...Self.maximumAttempts).contains(count) {
                policy.maximumAttempts = Int(count)
            } else {
                add(
                    pointer.appending("max_attempts"),
                    "invalid_value",
                    "max_attempts is a whole number from 1 to \(Self.maximumAttempts)."
                )
            }
        }
        policy.delay = readDuration(retry["delay"], at: pointer.appending("delay")) ?? policy.delay
        policy.maximumDelay =
            readDuration(retry["max_delay"], at: pointer.appending("max_delay"))
            ?? max(policy.maximumDelay, policy.delay)
        if let backoff = retry["backoff"] {
            if let known = backoff.stringValue.flatMap(RetryPolicy.Backoff.init(rawValue:)) {
                policy.backoff = known
            } else {
                add(pointer.appending("backoff"), "invalid_value", "backoff is \"constant\" or \"exponential\".")
            }
        }
        if let jitter = retry["jitter"] {
            if let flag = jitter.boolValue {
                policy.hasJitter = flag
            } else {
                add(pointer.appending("jitter"), "invalid_type", "jitter is true or false.")
            }
        }
        return policy
    }

    private mutating func readDuration(_ duration: JSONView?, at pointer: JSONPointer) -> Duration? {
        guard let duration else {
            return nil
        }
        guard let read = duration.stringValue.flatMap(Duration.init(text:)) else {
            add(
                pointer,
                "invalid_duration",
                "A duration is a whole number and a unit: ms, s, m, h or d, such as \"30s\"."
            )
            return nil
        }
        return read
    }

    private mutating func readTimeout(_ timeout: JSONView?, at pointer: JSONPointer) -> Duration? {
        guard let duration = readDuration(timeout, at: pointer) else {
            return nil
        }
        guard duration > .zero, duration <= Self.maximumTimeout else {
            add(pointer, "invalid_value", "A timeout is from 1ms to 300s.")
            return nil
        }
        return duration
    }

    private mutating func readOnError(_ onError: JSONView?, at pointer: JSONPointer) -> AutomationDefinition.OnError {
        guard let onError else {
            return .fail
        }
        if onError.kind == .object, onError["branch"] != nil {
            add(pointer, "unsupported", "A branch for failures is not executed by this release, so it is not accepted.")
            return .fail
        }
        guard let known = onError.stringValue.flatMap(AutomationDefinition.OnError.init(rawValue:)) else {
            add(pointer, "invalid_value", "on_error is \"fail\" or \"continue\".")
            return .fail
        }
        return known
    }

    private mutating func readIdempotent(_ idempotent: JSONView?, at pointer: JSONPointer) -> Bool? {
        guard let idempotent else {
            return nil
        }
        guard let flag = idempotent.boolValue else {
            add(pointer, "invalid_type", "idempotent is true or false.")
            return nil
        }
        return flag
    }

    /// Checks what can be known of an input before a run resolves it.
    private mutating func checkInput(_ input: JSONView?, of action: BuiltInAction, at pointer: JSONPointer) {
        switch action {
        case .transform:
            break
        case .emit:
            refuseUnknown(input, known: ["type", "data", "subject"], at: pointer)
            if input?["type"] == nil {
                add(pointer.appending("type"), "required", "signal.emit needs the type of the signal.")
            }
        case .delay:
            refuseUnknown(input, known: ["for", "until"], at: pointer)
            for fault in Delay.faults(of: input) {
                add(pointer.appending(fault.member), fault.code, fault.detail)
            }
        case .webhook:
            refuseUnknown(input, known: WebhookCall.members, at: pointer)
            for fault in WebhookCall.faults(of: input) {
                add(pointer.appending(fault.member), fault.code, fault.detail)
            }
        case .http:
            refuseUnknown(input, known: HTTPCall.members, at: pointer)
            for fault in HTTPCall.faults(of: input) {
                add(pointer.appending(fault.member), fault.code, fault.detail)
            }
        }
    }

    private mutating func refuseUnknown(_ object: JSONView?, known: Set<String>, at pointer: JSONPointer) {
        guard let object, object.kind == .object else {
            return
        }
        refuseUnknown(object, known: known, unsupported: [], at: pointer)
    }
}
