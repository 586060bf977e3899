package import AsyncHTTPClient
private import NIOCore

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
}
