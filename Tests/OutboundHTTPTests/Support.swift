import OutboundHTTP
import Synchronization

/// How long an exchange with a server on this machine may take before a test fails.
let patience = Duration.seconds(20)

/// Runs a client, for which some names have addresses, for as long as the body takes.
func withClient<Value>(
    allowing entries: String = "",
    names: [String: [String]] = [:],
    configuration: OutboundConfiguration = OutboundConfiguration(),
    body: (OutboundClient) async throws -> Value
) async throws -> Value {
    let resolver: AddressResolver = { addresses(names[$0] ?? []) }
    return try await withClient(allowing: entries, resolver: resolver, configuration: configuration, body: body)
}

/// Runs a client with a resolver of its own for as long as the body takes.
func withClient<Value>(
    allowing entries: String = "",
    resolver: AddressResolver?,
    configuration: OutboundConfiguration = OutboundConfiguration(),
    body: (OutboundClient) async throws -> Value
) async throws -> Value {
    var configuration = configuration
    configuration.allowList = try AllowList(entries)
    let client = try OutboundClient(configuration: configuration, resolver: resolver)
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}

/// A configuration that differs from the usual one.
func settings(_ change: (inout OutboundConfiguration) -> Void) -> OutboundConfiguration {
    var configuration = OutboundConfiguration()
    change(&configuration)
    return configuration
}

/// Addresses from their texts; what is none is left out.
func addresses(_ texts: [String]) -> [IPAddress] { texts.compactMap { IPAddress($0) } }

extension OutboundClient {
    /// Sends a request to a URL.
    func send(
        _ method: OutboundRequest.Method = .get,
        _ url: String,
        headers: [(String, String)] = [],
        body: String = "",
        sensitive: Set<String> = [],
        redirects: OutboundRequest.Redirects = .refuse,
        limits: ResponseLimits = ResponseLimits(),
        within limit: Duration = patience
    ) async throws(OutboundError) -> OutboundResponse {
        let request = try OutboundRequest(
            method: method,
            url: OutboundURL(url),
            headers: headers.map { OutboundRequest.Header($0.0, $0.1) },
            body: Array(body.utf8),
            sensitiveHeaders: sensitive,
            redirects: redirects,
            limits: limits
        )
        return try await send(request, deadline: .now + limit)
    }

    /// The error of a request that is expected to have one.
    func failure(
        _ method: OutboundRequest.Method = .get,
        _ url: String,
        redirects: OutboundRequest.Redirects = .refuse,
        limits: ResponseLimits = ResponseLimits(),
        within limit: Duration = patience
    ) async -> OutboundError? {
        do throws(OutboundError) {
            _ = try await send(method, url, redirects: redirects, limits: limits, within: limit)
            return nil
        } catch {
            return error
        }
    }
}

extension OutboundResponse {
    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The error that a synchronous call throws; nil when it throws none.
func failure<Value>(of call: () throws(OutboundError) -> Value) -> OutboundError? {
    do throws(OutboundError) {
        _ = try call()
        return nil
    } catch {
        return error
    }
}
