private import AsyncHTTPClient
private import Foundation
private import JSON
private import NIOHTTP1
private import Synchronization

/// Clients that post signals steadily, each again under the same id until it is acknowledged.
package struct SignalLoad: Sendable {
    /// How long a client tries before it gives up on one signal.
    package static let patience = Duration.seconds(90)

    /// What clients do beyond posting each signal until it is acknowledged.
    package struct Habits: Sendable {
        /// The share of signals that are posted again after they were acknowledged, as an impatient sender does.
        package var repeated = 0.0
        /// The share of signals whose first request is given up before it can have been answered.
        package var givenUp = 0.0
        /// What the choice is drawn from.
        package var seed: UInt64 = 0

        package init(repeated: Double = 0, givenUp: Double = 0, seed: UInt64 = 0) {
            self.repeated = repeated
            self.givenUp = givenUp
            self.seed = seed
        }
    }

    /// The reason for a repeated request whose first one the client gave up on purpose.
    package static let givenUp = "given up by the client"

    private let installation: Installation
    private let prefix: String
    private let types: [String]
    private let clients: Int
    private let pause: Duration
    private let habits: Habits

    /// - Parameters:
    ///   - installation: where to post.
    ///   - prefix: what every id begins with.
    ///   - types: the signals' types, taken in turn.
    ///   - clients: how many post at the same time.
    ///   - pause: how long each rests between two signals.
    ///   - habits: what clients do beyond that.
    package init(
        _ installation: Installation,
        prefix: String,
        types: [String],
        clients: Int = 4,
        pause: Duration = .milliseconds(20),
        habits: Habits = Habits()
    ) {
        self.installation = installation
        self.prefix = "\(prefix)-\(UInt32.random(in: .min ... .max))"
        self.types = types
        self.clients = clients
        self.pause = pause
        self.habits = habits
    }

    /// Posts for as long as the body runs; returns when every signal begun is acknowledged or given up.
    package func during<Value: Sendable>(_ body: (Running) async throws -> Value) async throws -> Value {
        let running = Running()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask { try await post(as: client, running) }
            }
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(running))
            } catch {
                result = .failure(error)
            }
            running.stop()
            try await group.waitForAll()
            return try result.get()
        }
    }

    /// A load under way.
    package final class Running: Sendable {
        private let state = Mutex((count: 0, isStopped: false))

        /// How many signals this load has had acknowledged.
        package var count: Int { state.withLock { $0.count } }

        /// Waits until this many more signals are acknowledged.
        package func acknowledges(_ more: Int, within limit: Duration = .seconds(60)) async throws {
            let goal = count + more
            try await eventually("\(more) more signals are acknowledged", within: limit) { count >= goal }
        }

        fileprivate var isStopped: Bool { state.withLock { $0.isStopped } }
        fileprivate func stop() { state.withLock { $0.isStopped = true } }
        fileprivate func acknowledged() { state.withLock { $0.count += 1 } }
    }

    private func post(as client: Int, _ running: Running) async throws {
        var generator = SeededGenerator(seed: habits.seed &+ UInt64(client))
        var number = 0
        while !running.isStopped {
            let type = types[(client + number) % types.count]
            let id = "\(prefix)-\(client)-\(number)"
            let isGivenUp = Double.random(in: 0..<1, using: &generator) < habits.givenUp
            let isRepeated = Double.random(in: 0..<1, using: &generator) < habits.repeated
            installation.history.invoked(id)
            if isGivenUp { try await giveUp(id, type) }
            if try await post(id, type) {
                running.acknowledged()
                if isRepeated { _ = try await post(id, type) }
            }
            number += 1
            // Pacing, so that the load is steady and not as fast as the machine is.
            try await Task.sleep(for: pause)
        }
    }

    /// Posts one signal until it is acknowledged; false when it is given up.
    private func post(_ id: String, _ type: String) async throws -> Bool {
        let history = installation.history
        let deadline = ContinuousClock.now + Self.patience
        var attempt = abs(id.hashValue % max(1, installation.replicas(of: .gateway).count))
        while ContinuousClock.now < deadline {
            defer { attempt += 1 }
            do {
                let answer = try await send(id, type, attempt: attempt, within: .seconds(20))
                switch answer.status {
                case 202:
                    history.acknowledged(id, as: try SignalBody.signalID(answer))
                    return true
                case 429, 503, 504:
                    history.retrying("\(answer.status)", id)
                default:
                    history.surprised("\(id) was answered \(answer.status): \(answer.text)")
                    return false
                }
            } catch let error as CancellationError {
                throw error
            } catch {
                history.retrying("\(error)", id)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Posts a signal and does not wait for the answer, which may come or not.
    private func giveUp(_ id: String, _ type: String) async throws {
        do {
            let answer = try await send(id, type, attempt: 0, within: .milliseconds(3))
            guard answer.status == 202 else { return }
            installation.history.acknowledged(id, as: try SignalBody.signalID(answer))
        } catch let error as CancellationError {
            throw error
        } catch {
            installation.history.retrying(Self.givenUp, id)
        }
    }

    /// Sends one request to one of the gateways that are in rotation.
    private func send(
        _ id: String,
        _ type: String,
        attempt: Int,
        within limit: Duration
    ) async throws -> HTTPTestClient.Response {
        let gateways = installation.replicas(of: .gateway)
        let inRotation = gateways.filter { !$0.isLeaving }
        let choice = inRotation.isEmpty ? gateways : inRotation
        let event = SignalBody.event(id: id, type: type, data: #"{"text":"ñ €","n":1}"#)
        return try await choice[attempt % choice.count].client(headers: installation.authorization)
            .send(.POST, "/api/signals", headers: SignalBody.structured, body: event, within: limit)
    }
}
