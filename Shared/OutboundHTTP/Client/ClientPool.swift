import AsyncHTTPClient
import NIOCore
import NIOSSL
import Synchronization

/// One HTTP client for each pair of origin and address, so that a pinned address holds for every connection of it.
///
/// The least recently used are shut down when there are more than the limit; those in use are not counted out, so there
/// are never more than the limit and the requests under way.
final class ClientPool: Sendable {
    struct Key: Hashable, Sendable {
        let origin: OutboundURL.Origin
        let address: IPAddress
    }

    private struct Entry {
        let client: HTTPClient
        var leaseCount = 0
        var lastUse: UInt64 = 0
        var failedLast = false
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var useCount: UInt64 = 0
        var isShutDown = false
    }

    private let group: any EventLoopGroup
    private let configuration: OutboundConfiguration
    private let tls: TLSConfiguration
    private let gates: SendGates
    private let state = Mutex(State())

    /// Makes an empty pool.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_configuration` when the file of certificates cannot be read.
    init(configuration: OutboundConfiguration, group: any EventLoopGroup, gates: SendGates) throws(OutboundError) {
        self.configuration = configuration
        self.group = group
        self.gates = gates
        tls = try Self.tls(trustFile: configuration.trustFile)
    }

    /// How many clients there are.
    var count: Int { state.withLock { $0.entries.count } }

    /// The client for a pair, held until it is released.
    ///
    /// - Throws: ``OutboundError`` with code `shut_down`.
    func lease(_ key: Key) throws(OutboundError) -> HTTPClient {
        let client = state.withLock { state -> HTTPClient? in
            guard !state.isShutDown else { return nil }
            state.useCount += 1
            var entry = state.entries[key] ?? Entry(client: makeClient(for: key))
            entry.leaseCount += 1
            entry.lastUse = state.useCount
            state.entries[key] = entry
            return entry.client
        }
        guard let client else { throw OutboundError(.shutDown, .notSent, "The client is shut down.") }
        return client
    }

    /// Gives a client back and shuts down those that are too many, for which nobody waits.
    func release(_ key: Key, failed: Bool) {
        let surplus: [HTTPClient] = state.withLock { state in
            state.entries[key]?.leaseCount -= 1
            state.entries[key]?.failedLast = failed
            return Self.removeSurplus(&state, limit: configuration.targetLimit)
        }
        for client in surplus { client.shutdown { _ in } }
    }

    /// The addresses of an origin in the order in which to try them: those in use, those not known, those that failed.
    func order(_ addresses: [IPAddress], of origin: OutboundURL.Origin) -> [IPAddress] {
        guard addresses.count > 1 else { return addresses }
        let ranks = state.withLock { state in
            addresses.map { address in
                state.entries[Key(origin: origin, address: address)].map { $0.failedLast ? 2 : 0 } ?? 1
            }
        }
        return [0, 1, 2].flatMap { rank in zip(addresses, ranks).filter { $0.1 == rank }.map(\.0) }
    }

    /// Closes every connection; requests under way fail, and later ones are refused.
    func shutdown() async {
        let clients = state.withLock { state in
            defer { state.entries = [:] }
            state.isShutDown = true
            return state.entries.values.map(\.client)
        }
        // A connection that is being made holds its client up until it is there or has failed.
        await withDiscardingTaskGroup { group in
            for client in clients { group.addTask { try? await client.shutdown() } }
        }
    }

    private static func removeSurplus(_ state: inout State, limit: Int) -> [HTTPClient] {
        guard state.entries.count > limit else { return [] }
        let idle = state.entries.filter { $0.value.leaseCount == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
        return idle.prefix(state.entries.count - limit).map { key, entry in
            state.entries[key] = nil
            return entry.client
        }
    }

    private func makeClient(for key: Key) -> HTTPClient {
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: TimeAmount(configuration.connectTimeout)),
            connectionPool: HTTPClient.Configuration.ConnectionPool(
                idleTimeout: TimeAmount(configuration.idleTimeout),
                concurrentHTTP1ConnectionsPerHostSoftLimit: configuration.connectionsPerTarget
            ),
            proxy: nil,
            decompression: .disabled
        )
        // One request at a time on a connection, so that a lost connection concerns one request only, and less to attack.
        settings.httpVersion = .http1Only
        // A failed connection fails the requests that wait for it at once; the caller tries the next address.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.tracing.tracer = nil
        // Only the connection goes to the address; certificate and server name are still those of the host.
        if case .name(let name) = key.origin.host { settings.dnsOverride = [name: key.address.description] }
        settings.http1_1ConnectionDebugInitializer = { [gates] channel in
            SendGateHandler.install(on: channel, gates: gates, key: key)
        }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
    }

    private static func tls(trustFile: String?) throws(OutboundError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        guard let trustFile else { return tls }
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(trustFile)
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            tls.additionalTrustRoots = [.certificates(certificates)]
            return tls
        } catch {
            let message = "The file of trusted certificates \(trustFile) cannot be read as PEM."
            throw OutboundError(.invalidConfiguration, .notSent, message)
        }
    }
}
