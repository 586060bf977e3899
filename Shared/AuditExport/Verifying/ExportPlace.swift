/// How bytes that should be text are told as a place.
enum ExportPlace {
    /// The text of bytes, in which each byte that is no part of valid UTF-8 stands as U+FFFD.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = ""
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let scalar = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            text += scalar ?? "\u{FFFD}"
            rest = rest.dropFirst(scalar?.utf8.count ?? 1)
        }
        return text
    }
}
