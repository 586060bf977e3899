extension OutboundURL {
    /// The URL that a reference, such as that of a `Location` header, leads to from this one (RFC 3986, section 5.2).
    ///
    /// - Throws: ``OutboundError`` with code `invalid_url`.
    package func resolving(_ reference: String) throws(OutboundError) -> OutboundURL {
        if reference.isEmpty { return self }
        try URLText.checkCharacters(reference)
        let first = reference[..<URLText.endOfSegment(reference[...])]
        if first.utf8.contains(UInt8(ascii: ":")) { return try OutboundURL(reference) }
        if reference.hasPrefix("//") {
            return try OutboundURL(scheme: origin.scheme, afterSlashes: reference.dropFirst(2))
        }
        let parts = URLText.split(reference[...])
        let encoded = try URLText.encode(parts.path)
        let newQuery = try URLText.encode(optional: parts.query)
        if encoded.isEmpty { return OutboundURL(origin: origin, path: path, query: newQuery ?? query) }
        let merged = encoded.hasPrefix("/") ? encoded : folder + encoded
        return OutboundURL(origin: origin, path: URLText.removingDotSegments(merged), query: newQuery)
    }

    /// The path up to its last slash.
    private var folder: Substring {
        guard let slash = path.lastIndex(of: "/") else { return "/" }
        return path[...slash]
    }
}
