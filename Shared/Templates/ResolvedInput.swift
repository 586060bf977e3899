/// What a template comes to in a context: once as it is used, once as it may be written down.
///
/// Descriptions and dumps show ``redacted`` only.
package struct ResolvedInput: Sendable, Hashable {
    /// The input: valid JSON, secrets included; it must be neither stored nor logged.
    package let value: [UInt8]

    /// The same with `{{ secret:name }}` for every secret; the same array as ``value`` where there is none.
    package let redacted: [UInt8]
}

extension ResolvedInput: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { String(decoding: redacted, as: UTF8.self) }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: ["redacted": description]) }
}
