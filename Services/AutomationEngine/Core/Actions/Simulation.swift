import Contracts
import Domain
import FoundationEssentials
import JSON
import OutboundHTTP

/// What a step of a dry run would do, and a value that its output could be.
struct Simulation: Sendable {
    /// A sentence for people; it holds no secret.
    var would: String
    /// Valid under the action's output schema; nil where what it would be is not known.
    var output: [UInt8]?

    /// As the step's row and its readers have it.
    var bytes: [UInt8] {
        var writer = JSONWriter(capacity: would.utf8.count + 16)
        writer.beginObject()
        writer.member("would", would)
        writer.endObject()
        return writer.bytes
    }
}

extension Simulation {
    /// Simulates a step; nothing is sent, looked up or stored.
    ///
    /// - Parameters:
    ///   - action: What the step does.
    ///   - input: Its input, resolved, with something else in the place of secrets.
    ///   - recorded: The same with the references of secrets in their place.
    ///   - run: The dry run.
    ///   - position: The step's position.
    ///   - signal: The signal that the run was started by.
    /// - Throws: What is wrong with the input, in the words of the action itself where it has some.
    init(
        _ action: StepAction,
        _ input: [UInt8],
        recorded: [UInt8],
        run: RunRecord,
        position: Int,
        signal: IncomingSignal
    ) throws(StepError) {
        switch action {
        case .builtIn(let action):
            try self.init(of: action, input, recorded: recorded, run: run, position: position, signal: signal)
        case .remote(let action):
            try self.init(of: action)
        }
        try action.declaration?.input.require(
            recorded,
            orElse: "invalid_input",
            placeholder: Self.secretReference
        )
    }

    private init(of action: RemoteAction) throws(StepError) {
        guard let registration = action.registration else {
            throw RemoteAction.withdrawn(action.key)
        }
        let place =
            switch registration.endpoint {
            case .http(let endpoint): "at \(endpoint.url)"
            case .amqp: "over the broker"
            }
        self.init(would: "Call \(action.key) \(place).", output: registration.sample)
    }

    /// A dry run knows no secret, so what holds one may be valid.
    static let secretReference = "{{ secret:"

    private init(
        of action: BuiltInAction,
        _ input: [UInt8],
        recorded: [UInt8],
        run: RunRecord,
        position: Int,
        signal: IncomingSignal
    ) throws(StepError) {
        switch action {
        case .transform:
            self.init(would: "Output its input.", output: input)
        case .emit:
            let emission = try Emission(input, run: run, position: position, causation: signal)
            self.init(would: "Emit a signal of the type \(emission.type).", output: emission.output)
        case .delay:
            let delay = try Delay(input, at: run.startedAt)
            self.init(
                would: "Wait until \(Timestamp.format(delay.until)), which a dry run does not.",
                output: delay.output
            )
        case .waitForSignal:
            let wait = try SignalWait(input)
            self.init(
                would: "Wait for a signal of the type \(wait.shape.type), which a dry run does not.",
                output: Self.event(ofType: wait.shape.type)
            )
        case .run:
            let call = try RunCall(input)
            let wait = call.waits ? ", and wait for its end" : ""
            let emission = try Emission(call, run: run, position: position, causation: signal, at: run.startedAt)
            self.init(
                would: "Start a run of the automation \(call.automation)\(wait).",
                output: call.waits
                    ? Array(
                        #"{"output":null,"run_id":"00000000-0000-0000-0000-000000000000","status":"succeeded"}"#.utf8
                    ) : emission.output
            )
        case .approval:
            let approval = try Approval(input)
            let names = approval.roles.map(\.rawValue) + approval.people
            self.init(
                would: "Ask for the approval of \(names.joined(separator: ", ")), which a dry run takes as given.",
                output: Array(#"{"approved":true,"by":null,"decision":"approved","form":null}"#.utf8)
            )
        case .webhook:
            let (input, hasSecretURL) = Self.withoutSecretURL(input, recorded: recorded)
            let call = try WebhookCall(input)
            let message = call.isSigned ? "a signed message" : "a message"
            let url = hasSecretURL ? Self.secretURL : "\(call.url)"
            self.init(
                would: "Send \(message) of \(call.body.count) bytes to \(url).",
                output: Array(#"{"body":null,"headers":{},"status":200}"#.utf8)
            )
        case .email:
            try self.init(email: input, recorded: recorded, run: run)
        case .http:
            let (input, hasSecretURL) = Self.withoutSecretURL(input, recorded: recorded)
            let call = try HTTPCall(input, idempotencyKey: run.id.lowercased)
            let url = hasSecretURL ? Self.secretURL : "\(call.url)"
            let body = call.body.isEmpty ? "without a body" : "with a body of \(call.body.count) bytes"
            self.init(
                would: "Send \(call.method.rawValue) to \(url), \(body).",
                output: Array(#"{"body":null,"headers":{},"status":200}"#.utf8)
            )
        }
    }
}

extension Simulation {
    /// What a signal that was waited for could be.
    private static func event(ofType type: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", "simulated")
        writer.member("source", "/batuta/simulated")
        writer.member("type", type)
        writer.endObject()
        return writer.bytes
    }

    private static let secretURL = "a URL that holds a secret"

    /// Puts a URL that can be read in the place of one that holds a secret, which may be any part of it.
    private static func withoutSecretURL(_ input: [UInt8], recorded: [UInt8]) -> (input: [UInt8], hasSecretURL: Bool) {
        guard input != recorded, let root = try? JSONDocument(parsing: input, limits: .wrapped).root,
            let url = root["url"],
            let stated = try? JSONDocument(parsing: recorded, limits: .wrapped).root["url"],
            url.stringValue != stated.stringValue
        else {
            return (input, false)
        }
        var writer = JSONWriter(capacity: input.count)
        writer.beginObject()
        for member in root.members where member.key != "url" {
            writer.key(member.key)
            writer.raw(member.value.rawBytes)
        }
        writer.member("url", "https://secret.invalid/")
        writer.endObject()
        return (writer.bytes, true)
    }
}
