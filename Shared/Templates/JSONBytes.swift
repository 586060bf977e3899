import JSON

/// What is done to the bytes of JSON that was validated before.
enum JSONBytes {
    /// Appends text as it stands between the quotes of a JSON string, with the fewest escapes.
    static func append(escaped text: String, to output: inout [UInt8]) {
        var writer = JSONWriter(capacity: text.utf8.count + 2)
        writer.string(text)
        writer.bytes.withUnsafeBufferPointer { output.append(contentsOf: $0.dropFirst().dropLast()) }
    }

    /// Appends JSON without the white space between its tokens.
    static func append(compacting json: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        var plainFrom = 0
        var inString = false
        var at = 0
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "\\"): at += 1
            case UInt8(ascii: "\""): inString.toggle()
            case 0x20, 0x09, 0x0A, 0x0D:
                if !inString {
                    output.append(contentsOf: UnsafeBufferPointer(rebasing: json[plainFrom..<at]))
                    plainFrom = at + 1
                }
            default: break
            }
            at += 1
        }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: json[plainFrom...]))
    }

    /// The number of containers within one another; 0 for a scalar.
    static func depth(of json: UnsafeBufferPointer<UInt8>) -> Int {
        var deepest = 0
        var depth = 0
        var inString = false
        var at = 0
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "\\"): at += 1
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if !inString {
                    depth += 1
                    deepest = max(deepest, depth)
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if !inString { depth -= 1 }
            default: break
            }
            at += 1
        }
        return deepest
    }
}
