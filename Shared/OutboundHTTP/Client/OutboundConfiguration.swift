/// How requests are sent.
package struct OutboundConfiguration: Sendable {
    /// What the operator allows past the guard.
    package var allowList = AllowList.empty

    /// A PEM file of certificates that are trusted besides those of the system.
    package var trustFile: String?

    /// How long a connection may take, TLS included, and how long a request waits for one that is free.
    package var connectTimeout: Duration = .seconds(5)

    /// How long a name may take to be resolved.
    package var resolveTimeout: Duration = .seconds(5)

    /// How long an idle connection is kept.
    package var idleTimeout: Duration = .seconds(60)

    /// How many connections there may be to one address of one origin.
    package var connectionsPerTarget = 64

    /// For how many pairs of origin and address connections are kept while nothing uses them.
    package var targetLimit = 256

    /// The `User-Agent` of a request that has none.
    package var userAgent = "batuta"

    package init() {}
}
