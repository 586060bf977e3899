import Domain
import JSON
import OutboundHTTP
import Templates

extension DefinitionReader {
    /// How long an attempt may take at most that somebody waits for.
    static let maximumTimeout = Duration.seconds(300)
    /// How long an attempt may take at most whose answer comes over the broker.
    static let longestTimeout = Duration.seconds(366 * 86_400)
    /// How many attempts a step may have at most.
    static let maximumAttempts: Int64 = 100

    /// Reads one step.
    ///
    /// - Parameters:
    ///   - step: An object.
    ///   - name: Its name; nil where that is wrong.
    ///   - needs: The names of the steps that it needs.
    ///   - ancestors: The names of the steps that have ended when it begins, which it may refer to.
    ///   - scope: The steps before it.
    ///   - pointer: Where it stands.
    /// - Returns: The step; nil where it has faults, which are noted.
    mutating func readStep(
        _ step: JSONView,
        name: String?,
        needs: [String],
        _ ancestors: Set<String>,
        _ scope: StepScope,
        at pointer: JSONPointer
    ) -> AutomationDefinition.Step? {
        refuseUnknown(
            step,
            known: [
                "name", "action_key", "input", "when", "retry", "timeout", "on_error", "idempotent", "needs",
                "for_each",
            ],
            at: pointer
        )
        let before = faults.count
        let action = readAction(step["action_key"], at: pointer.appending("action_key"))
        let reading = StepReading(ancestors: ancestors, scope: scope, hasItem: step["for_each"] != nil)
        let input = readInput(step["input"], reading, at: pointer.appending("input"))
        let when = readPattern(step["when"], at: pointer.appending("when"))
        checkSteps(ofPattern: step["when"], reading, at: pointer.appending("when"))
        let forEach = readForEach(step["for_each"], reading, at: pointer.appending("for_each"))
        let retry = readRetry(step["retry"], at: pointer.appending("retry"))
        let timeout = readTimeout(
            step["timeout"],
            upTo: longestTimeout(of: action),
            at: pointer.appending("timeout")
        )
        let onError = readOnError(step["on_error"], scope, at: pointer.appending("on_error"))
        let isIdempotent = readIdempotent(step["idempotent"], at: pointer.appending("idempotent"))
        if let action {
            checkInput(step["input"], of: action, at: pointer.appending("input"))
            judgeInput(step["input"], of: action, notedSince: before, at: pointer.appending("input"))
        }
        // What is stored without a meaning stays so.
        if case .builtIn(let action) = action, !action.hasEffect, action.isWait || origin == .author {
            let members = origin == .author ? ["retry", "timeout", "idempotent"] : ["retry", "timeout"]
            for member in members where step[member] != nil {
                let place = pointer.appending(member).text
                // What is wrong with it is told already.
                guard !faults[before...].contains(where: { $0.pointer.text.hasPrefix(place) }) else {
                    continue
                }
                let detail = "\(action.rawValue) makes no attempt outside the engine, so it has no \(member)."
                add(pointer.appending(member), "invalid_value", detail)
            }
        }
        if case .builtIn(let action) = action, action.isWait {
            if let input, !input.secretNames.isEmpty {
                let detail = "The input of \(action.rawValue) is stored, so no secret may stand in it."
                add(pointer.appending("input"), "secret_not_allowed", detail)
            }
            if action == .waitForSignal, step["for_each"] != nil {
                let detail = "A run listens from its start on, before there are items; so this step is not repeated."
                add(pointer.appending("for_each"), "invalid_value", detail)
            }
        }
        if origin == .author, action?.isOverBroker == true, input?.secretNames.isEmpty == false {
            let detail = "What is sent over the broker is kept in a queue, so no secret may stand in it."
            add(pointer.appending("input"), "secret_not_allowed", detail)
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
            isIdempotent: isIdempotent ?? action.isIdempotent(step["input"]),
            needs: needs.compactMap { scope.positions[$0] },
            forEach: forEach,
            branch: scope.branch,
            listens: action.waitsForSignal ? SignalWait.shape(of: step["input"]) : nil
        )
    }

    /// Reads when a failed attempt is made once more.
    mutating func readRetry(_ retry: JSONView?, at pointer: JSONPointer) -> RetryPolicy? {
        guard let retry else {
            return nil
        }
        guard retry.kind == .object else {
            add(pointer, "invalid_type", "retry must be an object.")
            return nil
        }
        refuseUnknown(
            retry,
            known: ["max_attempts", "delay", "backoff", "max_delay", "jitter", "non_retryable"],
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
        policy.nonRetryable = readNonRetryable(retry["non_retryable"], at: pointer.appending("non_retryable"))
        return policy
    }

    private mutating func readNonRetryable(_ errors: JSONView?, at pointer: JSONPointer) -> RetryPolicy.Errors {
        var read = RetryPolicy.Errors()
        guard let errors else {
            return read
        }
        guard errors.kind == .array else {
            add(pointer, "invalid_type", "non_retryable is an array of error codes and of statuses.")
            return read
        }
        for (index, error) in errors.elements.enumerated() {
            if let code = error.stringValue, (1...100).contains(code.utf8.count) {
                read.codes.insert(code)
            } else if let status = error.int64Value, (100...599).contains(status) {
                read.statuses.insert(status)
            } else {
                add(
                    pointer.appending(index),
                    "invalid_value",
                    "An error is named by its code, such as \"connect_failed\", or by the status of the answer, such as 503."
                )
            }
        }
        return read
    }

    /// Reads a duration; nil where there is none, or it is wrong, which is noted.
    mutating func readDuration(_ duration: JSONView?, at pointer: JSONPointer) -> Duration? {
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

    /// Reads how long an attempt may take.
    mutating func readTimeout(
        _ timeout: JSONView?,
        upTo limit: Duration = maximumTimeout,
        at pointer: JSONPointer
    ) -> Duration? {
        guard let duration = readDuration(timeout, at: pointer) else {
            return nil
        }
        guard duration > .zero, duration <= limit else {
            add(pointer, "invalid_value", "A timeout is from 1ms to \(limit == Self.maximumTimeout ? "300s" : "366d").")
            return nil
        }
        return duration
    }

    /// What was taken once is not refused because its action is called in another way by now.
    private func longestTimeout(of action: StepAction?) -> Duration {
        guard origin == .author else {
            return Self.longestTimeout
        }
        guard case .remote(let action) = action, let endpoint = action.registration?.endpoint else {
            return Self.maximumTimeout
        }
        return endpoint.maximumTimeout
    }

    private mutating func readOnError(
        _ onError: JSONView?,
        _ scope: StepScope,
        at pointer: JSONPointer
    ) -> AutomationDefinition.OnError {
        guard let onError else {
            return .fail
        }
        switch onError.stringValue {
        case "fail": return .fail
        case "continue": return .continue
        default: break
        }
        guard onError.kind == .object, onError.count == 1, let name = onError["branch"]?.stringValue else {
            add(pointer, "invalid_value", "on_error is \"fail\", \"continue\" or {\"branch\": the name of a branch}.")
            return .fail
        }
        guard scope.branch == nil else {
            add(pointer, "invalid_value", "A step of a failure branch has no further branch.")
            return .fail
        }
        guard let place = scope.branches.firstIndex(of: name) else {
            add(pointer.appending("branch"), "unknown_branch", "There is no branch \"\(name)\" in branches.")
            return .fail
        }
        return .branch(place)
    }

    /// Reads whether an attempt of unknown outcome may be repeated.
    mutating func readIdempotent(_ idempotent: JSONView?, at pointer: JSONPointer) -> Bool? {
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
    private mutating func checkInput(_ input: JSONView?, of action: StepAction, at pointer: JSONPointer) {
        switch action {
        case .builtIn(.transform), .remote:
            break
        case .builtIn(.emit):
            refuseUnknown(input, known: ["type", "data", "subject"], at: pointer)
            if input?["type"] == nil {
                add(pointer.appending("type"), "required", "signal.emit needs the type of the signal.")
            }
        case .builtIn(.delay):
            check(input, Delay.members, Delay.faults(of: input), at: pointer)
        case .builtIn(.approval):
            check(input, Approval.members, Approval.faults(of: input), at: pointer)
        case .builtIn(.waitForSignal):
            check(input, SignalWait.members, SignalWait.faults(of: input), at: pointer)
        case .builtIn(.run):
            check(input, RunCall.members, RunCall.faults(of: input), at: pointer)
        case .builtIn(.webhook):
            check(input, WebhookCall.members, WebhookCall.faults(of: input), at: pointer)
        case .builtIn(.email):
            check(input, MailCall.members, MailCall.faults(of: input), at: pointer)
        case .builtIn(.http):
            check(input, HTTPCall.members, HTTPCall.faults(of: input), at: pointer)
        }
    }

    private mutating func check(
        _ input: JSONView?,
        _ known: Set<String>,
        _ faults: [InputFault],
        at pointer: JSONPointer
    ) {
        refuseUnknown(input, known: known, at: pointer)
        for fault in faults {
            add(pointer.appending(fault.member), fault.code, fault.detail)
        }
    }

    /// Holds an input against the schema of its action, as far as that is possible before templates are resolved.
    ///
    /// What has been noted of a place already is not told once more in the words of the schema.
    private mutating func judgeInput(
        _ input: JSONView?,
        of action: StepAction,
        notedSince before: Int,
        at pointer: JSONPointer
    ) {
        guard origin == .author, let schema = action.declaration?.input,
            let view = input ?? (try? JSONDocument(parsing: "{}").root)
        else {
            return
        }
        let noted = faults[before...].map(\.pointer)
        for fault in schema.faults(in: view, at: pointer, placeholder: "{{") {
            let place = fault.pointer
            let isNoted = noted.contains { other in
                // The action's own words for what an object lacks stand at the member that is missing.
                other == place || place.isInside(other) || action.hasOwnReader && other.isInside(place)
            }
            if !isNoted {
                add(place, fault.code, fault.detail)
            }
        }
    }

    private mutating func refuseUnknown(_ object: JSONView?, known: Set<String>, at pointer: JSONPointer) {
        guard let object, object.kind == .object else {
            return
        }
        refuseUnknown(object, known: known, at: pointer)
    }
}

extension JSONPointer {
    /// Whether the place lies within another one.
    fileprivate func isInside(_ other: JSONPointer) -> Bool { text.hasPrefix("\(other.text)/") }
}
