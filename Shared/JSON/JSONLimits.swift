/// What a document may cost at most; checked while it is read, never afterwards.
package struct JSONLimits: Sendable, Hashable {
    /// The depth that no limit may exceed, so that code which walks a value may recurse.
    package static let deepest = 512

    /// The bytes that no limit may exceed, so that offsets and counts fit the index.
    package static let largest = 1 << 28

    /// Bytes of the whole document.
    package let maximumBytes: Int

    /// Containers within one another; a scalar has depth 0, `[]` depth 1.
    package let maximumDepth: Int

    /// Values and member names together; each costs 16 bytes of index.
    package let maximumValues: Int

    /// 16 MiB, 64 levels, 1,000,000 values.
    package static let standard = JSONLimits()

    /// As ``standard``, with room for what our own services wrap around a document of a client: a batch, an entry, an
    /// answer.
    package static let wrapped = JSONLimits(maximumDepth: 80)

    /// The same as ``standard``.
    package static var `default`: JSONLimits { .standard }

    /// Makes limits; what exceeds ``largest`` or ``deepest`` is cut down to it.
    package init(maximumBytes: Int = 1 << 24, maximumDepth: Int = 64, maximumValues: Int = 1_000_000) {
        self.maximumBytes = min(max(maximumBytes, 0), Self.largest)
        self.maximumDepth = min(max(maximumDepth, 0), Self.deepest)
        self.maximumValues = max(maximumValues, 0)
    }
}
