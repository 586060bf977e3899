import Contracts
import Domain
import JSON
import Messaging
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
        let start = ContinuousClock.now
        // What is needed for a call is there at once or not, however long its answer may take.
        let lookUp = start + min(step.timeout, DefinitionReader.maximumTimeout)
        do throws(StepError) {
            let registration = try await registration(of: action.key, tenant: machine.record.tenant, lookUp)
            let endpoint = registration.endpoint
            let texts = try await secrets.texts(
                step.input.secretNames.union(endpoint.secretNames),
                tenant: machine.record.tenant,
                deadline: lookUp
            )
            let input = try RunContext(machine, position).resolve(step.input, secrets: texts).value
            try registration.declaration.input.require(input, orElse: "invalid_input")
            switch endpoint {
            case .http(let endpoint):
                let call = try call(registration, at: endpoint, input, texts, machine, position)
                guard isHeld() else {
                    return .notMade(.leaseLost)
                }
                return await send(call, registration, SecretMask(texts.values), lookUp)
            case .amqp(let endpoint):
                let deadline = start + step.timeout
                let (message, route) = try message(action.key, endpoint, input, texts, machine, position, deadline)
                guard isHeld() else {
                    return .notMade(.leaseLost)
                }
                return await publish(message, to: route, deadline)
            }
        } catch {
            let passes = [SecretStore.unavailable, ActionRepository.unavailable].contains(error.code)
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: passes))
        }
    }

    /// The call over HTTP.
    private func call(
        _ registration: ActionRegistration,
        at endpoint: HTTPEndpoint,
        _ input: [UInt8],
        _ texts: [String: String],
        _ machine: RunMachine,
        _ position: Int
    ) throws(StepError) -> RemoteCall {
        let fields = try RunContext(machine, position).resolve(endpoint.fields, secrets: texts).value
        guard let fields = try? JSONDocument(parsing: fields, limits: .wrapped).root else {
            throw StepError(code: "invalid_input", detail: "The endpoint of the action cannot be read.")
        }
        return try RemoteCall(
            registration.declaration.key,
            at: endpoint,
            input: input,
            fields: fields,
            signingSecret: endpoint.signingSecret.flatMap { texts[$0] },
            run: machine.record.id,
            step: machine.record.steps[position],
            named: machine.effectName(at: position),
            at: Timestamp.now().microseconds / 1_000_000
        )
    }

    /// The call over the broker, with its way.
    private func message(
        _ key: String,
        _ endpoint: AMQPEndpoint,
        _ input: [UInt8],
        _ texts: [String: String],
        _ machine: RunMachine,
        _ position: Int,
        _ deadline: ContinuousClock.Instant
    ) throws(StepError) -> (OutgoingMessage, ActionRoute) {
        guard machine.definition(at: position).input.secretNames.isEmpty else {
            let detail = "The action is called over the broker, which keeps what is sent; the input names a secret."
            throw StepError(code: "secret_not_allowed", detail: detail)
        }
        guard let tenant = Tenant(machine.record.tenant), let route = ActionRoute(tenant: tenant, action: key) else {
            throw .notExecutable("The action's name is none.")
        }
        let message = try BrokerCall.message(
            to: route,
            input: input,
            of: machine.record,
            position,
            named: machine.effectName(at: position),
            signingSecret: endpoint.signingSecret.flatMap { texts[$0] },
            at: Timestamp.now().microseconds,
            within: deadline - .now
        )
        return (message, route)
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
