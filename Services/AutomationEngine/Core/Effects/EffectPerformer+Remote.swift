import Contracts
import JSON
import OutboundHTTP
import Persistence
import Templates

extension EffectPerformer {
    /// Calls a registered action, as it is registered now.
    ///
    /// - Parameters:
    ///   - action: The action that the step names.
    ///   - machine: The run.
    ///   - position: The step's position.
    ///   - isHeld: Whether the run is certainly still this replica's; asked right before anything is sent.
    /// - Returns: What is known afterwards.
    func call(
        _ action: RemoteAction,
        _ machine: RunMachine,
        _ position: Int,
        while isHeld: @Sendable () -> Bool
    ) async -> AttemptOutcome {
        let step = machine.definition(at: position)
        let deadline = ContinuousClock.now + step.timeout
        do throws(StepError) {
            let registration = try await registration(of: action.key, tenant: machine.record.tenant, deadline)
            let endpoint = registration.endpoint
            let texts = try await secrets.texts(
                step.input.secretNames.union(endpoint.secretNames),
                tenant: machine.record.tenant,
                deadline: deadline
            )
            let context = RunContext(machine, position)
            let input = try context.resolve(step.input, secrets: texts).value
            try registration.declaration.input.require(input, orElse: "invalid_input")
            let fields = try context.resolve(endpoint.fields, secrets: texts).value
            guard let fields = try? JSONDocument(parsing: fields, limits: .wrapped).root else {
                throw StepError(code: "invalid_input", detail: "The endpoint of the action cannot be read.")
            }
            let call = try RemoteCall(
                registration,
                input: input,
                fields: fields,
                signingSecret: endpoint.signingSecret.flatMap { texts[$0] },
                run: machine.record.id,
                step: machine.record.steps[position],
                named: machine.effectName(at: position),
                at: Timestamp.now().microseconds / 1_000_000
            )
            guard isHeld() else {
                return .notMade(.leaseLost)
            }
            return await send(call, registration, SecretMask(texts.values), deadline)
        } catch {
            let passes = [SecretStore.unavailable, ActionRepository.unavailable].contains(error.code)
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: passes))
        }
    }

    private func registration(
        of key: String,
        tenant: String,
        _ deadline: ContinuousClock.Instant
    ) async throws(StepError) -> ActionRegistration {
        let stored: StoredAction?
        do {
            stored = try await ActionRepository(database: secrets.database)
                .find(key, tenant: tenant, deadline: deadline)
        } catch {
            throw StepError(
                code: ActionRepository.unavailable,
                detail: "The registered actions cannot be read now; nothing was sent."
            )
        }
        guard let registration = stored?.remote?.registration else {
            throw RemoteAction.withdrawn(key)
        }
        return registration
    }

    private func send(
        _ call: RemoteCall,
        _ action: ActionRegistration,
        _ mask: SecretMask,
        _ deadline: ContinuousClock.Instant
    ) async -> AttemptOutcome {
        do throws(OutboundError) {
            let request = try OutboundRequest(
                method: .post,
                url: call.url,
                headers: call.headers,
                body: call.body,
                sensitiveHeaders: call.secretHeaders,
                // The credentials are for one place.
                redirects: .refuse
            )
            let response = try await client.send(request, deadline: deadline)
            guard (200..<300).contains(response.status) else {
                return Self.refusal(response, mask)
            }
            return Self.outcome(of: response.body, under: action.declaration.output, mask)
        } catch {
            return Self.outcome(of: error, mask)
        }
    }

    /// The answer as the step's output; nothing stands for null.
    private static func outcome(of body: [UInt8], under schema: ActionSchema, _ mask: SecretMask) -> AttemptOutcome {
        let code = "invalid_output"
        do throws(StepError) {
            // Without what it repeats of secrets, so that neither the output nor a pointer into it has any.
            let answer = mask.masking(body.isEmpty ? Array("null".utf8) : body)
            guard let output = (try? JSONDocument(parsing: answer)).map({ Array($0.root.rawBytes) }) else {
                throw StepError(code: code, detail: "The action has answered, and not with JSON.")
            }
            try schema.require(output, orElse: code)
            return .succeeded(output: output)
        } catch {
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: false))
        }
    }
}
