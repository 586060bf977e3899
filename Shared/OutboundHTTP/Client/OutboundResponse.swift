/// An answer, read to its end, whatever its status.
package struct OutboundResponse: Sendable, Hashable {
    /// The status code.
    package let status: Int

    /// The header fields by name in lower case, without `set-cookie`.
    ///
    /// A field that came more than once has its values joined by a comma and a space (RFC 9110, section 5.3).
    package let headers: [String: String]

    /// The values of `set-cookie`, which cannot be joined.
    package let setCookies: [String]

    /// The body as it came; no encoding of the content is undone.
    package let body: [UInt8]

    /// The URL that gave the answer, after redirects.
    package let url: OutboundURL

    /// How many redirects were followed.
    package let hops: Int
}
