import JSON

extension JSONSchema {
    /// A value that is valid under the schema, always the same one.
    ///
    /// A valid `default` is taken first, then `const`, the first valid one of `examples`, the first valid one of `enum`;
    /// else the value is made up and small: required members only, as few elements, characters and digits as allowed.
    ///
    /// - Returns: The value in the form of RFC 8785, which has been held against the schema; nil where none was found
    ///   within bounds, which need not mean that there is none.
    package func sample() -> [UInt8]? {
        var finder = SampleFinder(nodes)
        guard let value = finder.value(of: [0]), let bytes = try? value.canonicalBytes() else { return nil }
        guard let document = try? JSONDocument(parsing: bytes), isValid(document.root) else { return nil }
        return bytes
    }
}
