/// The names of a log over its lives.
///
/// A log has the name of its key. After the database was restored to an earlier moment it goes on under the same key as
/// another log: `<name>/2`, then `<name>/3`, so that it never contradicts what was signed before.
package enum LogName {
    /// The name of the log that follows a log.
    package static func successor(of name: String) -> String {
        guard let life = life(of: name) else {
            return "\(name)/2"
        }
        return "\(life.base)/\(life.number + 1)"
    }

    /// Whether a log can be signed with the key of a name: it is the key's own log, or a later life of it.
    package static func isLife(_ name: String, of key: String) -> Bool {
        name == key || life(of: name).map { $0.base == key } ?? false
    }

    private static func life(of name: String) -> (base: Substring, number: Int)? {
        guard let slash = name.lastIndex(of: "/"), slash > name.startIndex,
            let number = Int(name[name.index(after: slash)...]), number >= 2, number < Int(Int32.max),
            name[name.index(after: slash)...] == "\(number)"
        else {
            return nil
        }
        return (name[..<slash], number)
    }
}
