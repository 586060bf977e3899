package import AsyncHTTPClient
private import NIOCore
private import NIOSSL
private import Synchronization

/// The connections of clients that notice at once when nobody listens.
package enum TestConnections {
    /// A client that gives a refused connection back, instead of trying on until the request's deadline.
    ///
    /// It lives as long as the process, so nobody shuts it down.
    package static let impatient: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// A client with more connections to one host than others open, for a flood.
    package static let many: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private static let trusting = Mutex<[TestAuthority: HTTPClient]>([:])

    /// A client that trusts an authority and no other, and gives a refused certificate back at once.
    package static func trusting(_ authority: TestAuthority) -> HTTPClient {
        trusting.withLock { clients in
            if let client = clients[authority] { return client }
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authority.caFile)
            var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.timeout.connect = .seconds(5)
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            clients[authority] = client
            return client
        }
    }
}
