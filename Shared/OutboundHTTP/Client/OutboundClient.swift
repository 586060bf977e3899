import AsyncHTTPClient
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Sends requests that automations ask for, and nowhere that they may not go.
///
/// Each host is resolved once and every one of its addresses is judged (``AddressGuard``, ``AllowList``); the connection
/// then goes to one of those addresses and no other, and each redirect is a request judged anew. There are no proxies,
/// cookies or retries, and only HTTP/1.1 is spoken. Connections are kept and used again.
///
/// A client must be shut down, by ``shutdown()`` or by the end of ``run()``, before it is let go of.
package final class OutboundClient: Service, Sendable {
    let pool: ClientPool
    private let gates = SendGates()
    private let policy: TargetPolicy
    private let userAgent: String
    private let resolve: AddressResolver
    private let systemResolver: SystemResolver?

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - configuration: how requests are sent.
    ///   - resolver: what finds the addresses of names; nil asks the system.
    /// - Throws: ``OutboundError`` with code `invalid_configuration`.
    package init(
        configuration: OutboundConfiguration = OutboundConfiguration(),
        resolver: AddressResolver? = nil
    ) throws(OutboundError) {
        let group = MultiThreadedEventLoopGroup.singleton
        pool = try ClientPool(configuration: configuration, group: group, gates: gates)
        policy = TargetPolicy(allowList: configuration.allowList)
        userAgent = configuration.userAgent
        if let resolver {
            systemResolver = nil
            resolve = resolver
        } else {
            let system = SystemResolver(limit: configuration.resolveTimeout, group: group)
            systemResolver = system
            resolve = { try await system.addresses(of: $0) }
        }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// Cancelling the task ends it; the connection is then closed.
    ///
    /// - Parameters:
    ///   - request: what to send.
    ///   - deadline: when everything, redirects and the body of the answer included, must be over.
    /// - Returns: the answer.
    /// - Throws: ``OutboundError``, whose outcome says whether the request may have had an effect.
    package func send(
        _ request: OutboundRequest,
        deadline: ContinuousClock.Instant
    ) async throws(OutboundError) -> OutboundResponse {
        guard deadline > .now else {
            throw OutboundError(.timedOut, .notSent, "The deadline had passed before the request was sent.")
        }
        let result = await withTaskGroup(of: Event.self) { group in
            group.addTask { .finished(await self.result(of: request, deadline: deadline)) }
            group.addTask {
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return .deadlinePassed
                } catch {
                    return .timerStopped
                }
            }
            return await Self.outcome(of: &group, origin: request.url.origin)
        }
        return try result.get()
    }

    /// Waits for the graceful shutdown, or cancellation, and then shuts down.
    package func run() async {
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Closes every connection; requests under way fail, and later ones are refused.
    package func shutdown() async {
        await pool.shutdown()
        await systemResolver?.shutdown()
    }

    // MARK: - The deadline

    private enum Event: Sendable {
        case finished(Result<OutboundResponse, OutboundError>)
        case deadlinePassed
        case timerStopped
    }

    /// Waits for the request's end; when the deadline comes first, the request is cancelled and its end awaited, since
    /// only then is known whether it was sent.
    private static func outcome(
        of group: inout TaskGroup<Event>,
        origin: OutboundURL.Origin
    ) async -> Result<OutboundResponse, OutboundError> {
        var isLate = false
        for await event in group {
            switch event {
            case .finished(let result):
                group.cancelAll()
                return isLate ? result.mapError { $0.afterDeadline(origin) } : result
            case .deadlinePassed:
                isLate = true
                group.cancelAll()
            case .timerStopped:
                break
            }
        }
        preconditionFailure("a request ended without a result")
    }

    // MARK: - Redirects

    private func result(
        of request: OutboundRequest,
        deadline: ContinuousClock.Instant
    ) async -> Result<OutboundResponse, OutboundError> {
        do throws(OutboundError) {
            return .success(try await follow(request, deadline: deadline))
        } catch {
            return .failure(error)
        }
    }

    private func follow(
        _ request: OutboundRequest,
        deadline: ContinuousClock.Instant
    ) async throws(OutboundError) -> OutboundResponse {
        var hop = Hop(request)
        var lastStatus: Int?
        var hops = 0
        while true {
            let answer: Exchange.Answer
            do throws(OutboundError) {
                answer = try await exchange(hop, request, deadline: deadline)
            } catch {
                throw lastStatus.map(error.afterRedirect) ?? error
            }
            switch answer {
            case .complete(let content):
                return OutboundResponse(content, url: hop.url, hops: hops)
            case .redirect(let status, let location):
                guard case .follow(let most) = request.redirects, hops < most else {
                    let message = "\(hop.url.origin) redirected once more than the request allows."
                    throw OutboundError(.tooManyRedirects, .unknown, message, status: status)
                }
                try hop.redirected(status: status, location: location)
                lastStatus = status
                hops += 1
            }
        }
    }

    // MARK: - One hop

    private func exchange(
        _ hop: Hop,
        _ request: OutboundRequest,
        deadline: ContinuousClock.Instant
    ) async throws(OutboundError) -> Exchange.Answer {
        var failure: OutboundError?
        for address in pool.order(try await addresses(of: hop.url.origin), of: hop.url.origin) {
            do throws(OutboundError) {
                return try await exchange(hop, request, at: address, deadline: deadline)
            } catch {
                guard error.code == .connectionFailed, error.outcome == .notSent else { throw error }
                failure = failure ?? error
            }
        }
        throw failure ?? OutboundError(.nameNotFound, .notSent, "\(hop.url.origin.host) has no address.")
    }

    private func exchange(
        _ hop: Hop,
        _ request: OutboundRequest,
        at address: IPAddress,
        deadline: ContinuousClock.Instant
    ) async throws(OutboundError) -> Exchange.Answer {
        let key = ClientPool.Key(origin: hop.url.origin, address: address)
        let client = try pool.lease(key)
        let exchange = Exchange(hop: hop, request: request, gates: gates, userAgent: userAgent)
        let result = await exchange.result(client, deadline: deadline)
        pool.release(key, failed: result.isConnectionFailure)
        return try result.get()
    }

    /// The addresses to which a request may go, none of them refused.
    private func addresses(of origin: OutboundURL.Origin) async throws(OutboundError) -> [IPAddress] {
        let addresses: [IPAddress]
        switch origin.host {
        case .address(let address):
            addresses = [address]
        case .name(let name):
            do {
                addresses = try await resolve(name)
            } catch let error as OutboundError {
                throw error
            } catch {
                throw OutboundError(.resolutionFailed, .notSent, "The name \(name) could not be resolved.")
            }
        }
        try policy.check(addresses, of: origin.host, port: origin.port)
        return addresses
    }
}

extension OutboundError {
    /// The failure of a request that was cancelled because its deadline had passed.
    fileprivate func afterDeadline(_ origin: OutboundURL.Origin) -> OutboundError {
        guard code == .cancelled else { return self }
        return OutboundError(.timedOut, outcome, "\(origin) did not answer in time.", status: status)
    }
}

extension Result where Failure == OutboundError {
    fileprivate var isConnectionFailure: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .connectionFailed
    }
}
