import Foundation
import TestSupport

/// What a round has the system do: signals that fan out, steps with effects that a sink notes, retries, chains.
struct FaultWorkload: Sendable {
    /// What every id, type and key of the round begins with.
    let prefix: String

    private let installation: Installation
    private let sink: RecordingSink

    init(_ installation: Installation, prefix: String, sink: RecordingSink) {
        self.installation = installation
        self.prefix = prefix
        self.sink = sink
    }

    /// The types of the load's signals: three automations wait for the first, one for each of the others.
    var types: [String] { ["\(prefix).order", "\(prefix).chain", "\(prefix).order", "\(prefix).other"] }

    /// The automation that is activated and deactivated during the faults.
    var toggled: String { "\(prefix)-toggled" }

    /// Creates and activates the automations.
    func prepare() async throws {
        let (order, chain) = ("\(prefix).order", "\(prefix).chain")
        try await automate("\(prefix)-every", on: "\(prefix).*", steps: [Self.transform("one"), Self.transform("two")])
        try await automate(
            "\(prefix)-call",
            on: order,
            steps: [call("call", isIdempotent: true), Self.transform("end")]
        )
        try await automate("\(prefix)-once", on: order, steps: [call("once", isIdempotent: false)])
        let emit = #"{"name":"emit","action_key":"signal.emit","input":{"type":"\#(prefix)-echo.one","data":{"n":1}}}"#
        try await automate("\(prefix)-chain", on: chain, steps: [emit])
        try await automate("\(prefix)-echo", on: "\(prefix)-echo.*", steps: [Self.transform("heard")])
        try await automate(toggled, on: order, steps: [Self.transform("now-and-then")])
    }

    /// What the sink answers: by its key, one call in twelve is refused at first, one in sixty loses its connection.
    static let script: RecordingSink.Script = { call, earlier in
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in (call.idempotencyKey ?? "").utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        switch (hash >> 8) % 60 {
        case 0 where earlier == 0: return .drop
        case 1...5 where earlier == 0: return .answer(503, headers: ["retry-after": "1"])
        case 6...20: return .late(.milliseconds(80), 200)
        default: return .answer(200)
        }
    }

    /// Activates and deactivates an automation until it is cancelled; whatever is refused or lost is tried later.
    func administrate() async {
        var isActive = true
        while !Task.isCancelled {
            let verb = isActive ? "deactivate" : "activate"
            do {
                try await installation.change(toggled, verb)
                isActive.toggle()
            } catch {
                // The change may have been made all the same; the other direction shows it.
                isActive.toggle()
            }
            try? await Task.sleep(for: .milliseconds(700))
        }
    }

    // MARK: - Automations

    private static func transform(_ name: String) -> String {
        #"{"name":"\#(name)","action_key":"data.transform","input":{"text":"señal {{ signal.id }}","n":1}}"#
    }

    /// A step that calls the sink, and names itself and its signal in the body.
    private func call(_ name: String, isIdempotent: Bool) -> String {
        """
        {"name":"\(name)","action_key":"http.request","idempotent":\(isIdempotent),
         "input":{"method":"POST","url":"\(sink.url)/\(prefix)","body":"\(name) {{ signal.id }}"},
         "retry":{"max_attempts":20,"delay":"200ms","max_delay":"2s"}}
        """
    }

    private func automate(_ key: String, on type: String, steps: [String]) async throws {
        let definition = #"{"trigger":{"signalType":"\#(type)"},"steps":[\#(steps.joined(separator: ","))]}"#
        let body = #"{"automation_key":"\#(key)","name":"\#(key)","definition":\#(definition)}"#
        let created = try await installation.client().post("/admin/api/automations", json: body)
        guard created.status == 201 else {
            throw TestSupportError(.commandFailed, "Creating \(key) was answered \(created.status): \(created.text)")
        }
        try await installation.change(key, "activate")
    }
}
