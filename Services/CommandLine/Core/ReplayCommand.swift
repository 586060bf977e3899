package import ArgumentParser
import Foundation
import JSON
import NIOHTTP1

/// `batuta replay`: sends the accepted signals of a span once more to one automation.
package struct ReplayCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send the signals of a span once more, to one automation.",
        discussion: """
            The automation must be active. Each accepted signal of the span that its trigger asks for starts one run more \
            of it, and of no other automation. The replay goes on by itself, also when this command is interrupted.

            The start is sent with an Idempotency-Key and repeated under it while the gateway does not answer, so it \
            happens once. Where that does not help, the key is shown: give the command again with it.

            Times are of RFC 3339, such as 2026-11-21T08:00:00Z. The exit code is 0 when the replay was started (with \
            --watch: has succeeded), 1 when it was refused, canceled or has failed, and 75 when the gateway could not be \
            reached.
            """
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The automation's key or id.")
    var automation: String

    @Option(name: .long, help: "Signals accepted from this time on.")
    var from: String

    @Option(name: .long, help: "Signals accepted before this time.")
    var until: String

    @Option(name: .long, help: "The key under which a start happens once; one of its own otherwise.")
    var idempotencyKey: String?

    @Flag(name: .long, help: "Only count the signals.")
    var dryRun = false

    @Flag(name: .long, help: "Show how far the replay has come until it ends.")
    var watch = false

    /// How often a start is sent.
    private static let attempts = 3

    package init() {}

    package mutating func validate() throws {
        let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEF0123456789._-")
        guard !automation.isEmpty, automation.unicodeScalars.allSatisfy(allowed.contains) else {
            throw ValidationError("--automation takes the key or the id of an automation.")
        }
    }

    package mutating func run() async throws {
        let client = try gateway.client()
        let path = "/admin/api/automations/\(automation)/replays"
        let order: JSONValue = ["from": .string(from), "until": .string(until), "dry_run": .bool(dryRun)]
        let watch = watch
        let key = idempotencyKey ?? UUID().uuidString.lowercased()
        try await failing {
            let replay = try await Self.start(order, at: path, key, client)
            guard let id = replay["replay_id"]?.stringValue else {
                throw CommandLineError(.answer, "the gateway's answer names no replay")
            }
            print(Self.line(replay))
            if watch { try await Self.follow(id, client) }
        }
    }

    /// Starts a replay; a gateway that does not answer is asked again under the same key.
    ///
    /// - Throws: `CommandLineError`; one that can be retried names the key.
    private static func start(
        _ order: JSONValue,
        at path: String,
        _ key: String,
        _ client: GatewayClient
    ) async throws(CommandLineError) -> JSONValue {
        var left = attempts
        while true {
            do {
                return try await client.json(.POST, path, body: order, idempotencyKey: key)
            } catch {
                guard error.isRetryable else { throw error }
                left -= 1
                guard left > 0 else {
                    let advice = "give the command again with --idempotency-key \(key)"
                    throw CommandLineError(error.code, "\(error.message); the replay may have been started: \(advice)")
                }
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Prints every change until the replay has ended.
    ///
    /// - Throws: `CommandLineError` where the gateway refuses, or the replay has not succeeded.
    private static func follow(_ id: String, _ client: GatewayClient) async throws {
        var last = ""
        while true {
            // A gateway that is away for a moment does not end the watch.
            if let replay = try await look(id, client) {
                let line = line(replay)
                if line != last { print(line) }
                last = line
                switch replay["status"]?.stringValue {
                case "running": break
                case "succeeded": return
                default: throw CommandLineError(.answer, replay["failure"]?.stringValue ?? "the replay was canceled")
                }
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private static func look(_ id: String, _ client: GatewayClient) async throws(CommandLineError) -> JSONValue? {
        do {
            return try await client.json(.GET, "/admin/api/replays/\(id)")
        } catch  where error.isRetryable {
            return nil
        }
    }

    /// How far a replay has come, on one line.
    static func line(_ replay: JSONValue) -> String {
        func text(_ name: String) -> String { replay[name]?.stringValue ?? "-" }
        func count(_ name: String) -> Int64 { replay[name]?.int64Value ?? 0 }
        let done = replay["dry_run"]?.boolValue == true ? "would be sent" : "sent"
        return "\(text("replay_id"))  \(text("status"))  considered until \(text("considered_until")): "
            + "\(count("replayed")) of \(count("considered")) signals \(done)"
    }
}
