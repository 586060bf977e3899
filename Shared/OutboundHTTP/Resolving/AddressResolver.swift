/// Finds every address of a name.
///
/// It is called once per request and hop, with a name in lower case, never with an address. It throws ``OutboundError``,
/// whose outcome is always `not_sent`; any other error counts as `resolution_failed`.
package typealias AddressResolver = @Sendable (_ name: String) async throws -> [IPAddress]
