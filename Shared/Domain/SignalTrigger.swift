/// Which signals an automation is for: one exact type, or a whole family.
package enum SignalTrigger: Hashable, Sendable {
    /// Signals of exactly this type.
    case exact(String)
    /// Signals whose type is this prefix, a dot, and one or more further segments.
    case family(String)

    /// Reads a `signalType`: 1 to 255 bytes; `.*` at the end makes it a family.
    ///
    /// - Returns: nil where the text is empty, too long, or has an asterisk or an empty segment elsewhere.
    package init?(_ signalType: String) {
        guard (1...255).contains(signalType.utf8.count) else {
            return nil
        }
        let isFamily = signalType.hasSuffix(".*")
        let name = isFamily ? String(signalType.dropLast(2)) : signalType
        guard !name.isEmpty, !name.contains("*"),
            !isFamily || !name.split(separator: ".", omittingEmptySubsequences: false).contains("")
        else {
            return nil
        }
        self = isFamily ? .family(name) : .exact(name)
    }

    /// The `signalType` as a definition writes it.
    package var signalType: String {
        switch self {
        case .exact(let type): type
        case .family(let prefix): prefix + ".*"
        }
    }

    /// The type of a signal that a person makes for the automation: of a family, its prefix.
    package var artificialType: String {
        switch self {
        case .exact(let name), .family(let name): name
        }
    }

    /// Whether a signal of this type starts the automation.
    package func matches(_ type: String) -> Bool {
        switch self {
        case .exact(let exact): type.utf8.elementsEqual(exact.utf8)
        case .family(let prefix):
            type.utf8.count > prefix.utf8.count + 1 && type.utf8.starts(with: (prefix + ".").utf8)
        }
    }

    /// All families that a type belongs to, shortest first: of `a.b.c` these are `a` and `a.b`.
    package static func familyPrefixes(of type: String) -> [Substring] {
        type.indices.filter { type[$0] == "." }.compactMap { dot in
            let isLast = type.index(after: dot) == type.endIndex
            return dot == type.startIndex || isLast ? nil : type[..<dot]
        }
    }
}
