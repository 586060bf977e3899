/// The names of a log over its lives.
///
/// A log has the name of its key. After the database was restored to an earlier moment it goes on under the same key as
/// another log, `<name>/<number>`, so that it never contradicts what was signed before. The number is one that no earlier
/// restore has given, whatever state it went back to.
package enum LogName {
    /// The name of the log that follows a log.
    ///
    /// - Parameters:
    ///   - name: The log that has ended.
    ///   - number: The seconds since 1970, which are given once.
    /// - Returns: The name.
    package static func successor(of name: String, number: Int) -> String {
        "\(life(of: name)?.base ?? name[...])/\(number)"
    }

    /// The name of a later log of a key, whatever the key's name looks like.
    package static func life(of key: String, number: Int) -> String { "\(key)/\(number)" }

    /// Whether a log can be signed with the key of a name: it is the key's own log, or a later life of it.
    package static func isLife(_ name: String, of key: String) -> Bool {
        name == key || life(of: name).map { $0.base == key } ?? false
    }

    private static func life(of name: String) -> (base: Substring, number: Int)? {
        guard let slash = name.lastIndex(of: "/"), slash > name.startIndex,
            let number = Int(name[name.index(after: slash)...]), number >= 2,
            name[name.index(after: slash)...] == "\(number)"
        else {
            return nil
        }
        return (name[..<slash], number)
    }
}
