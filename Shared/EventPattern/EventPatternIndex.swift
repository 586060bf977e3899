package import JSON

/// Many patterns, matched against an event at once, in time that grows with the event's fields and not with the number
/// of patterns.
///
/// A value type whose copies share what they have in common: a copy costs a few references, and a pattern that is added
/// to or removed from one of them replaces a few dozen small nodes, however many patterns there are. So it can be held
/// in a lock, copied out by readers, and changed by a writer meanwhile.
///
/// How it works: the fields of each alternative that want one of a few exact values become a path through a tree of
/// hash tables, in which an event is followed field by field. At the end of the path, what the alternative still wants
/// is looked up by prefix, suffix, interval or address, see ``Shelf``. The patterns so found, few beyond those that
/// match, are then verified whole.
package struct EventPatternIndex<ID: Hashable & Sendable>: Sendable {
    private var paths = IndexedPaths()
    private var root = IndexNode.empty
    private var patterns = HashTrie<IndexedPattern>()
    private var serial = 0

    package init() {}

    /// The number of patterns.
    package var count: Int { patterns.count }

    package var isEmpty: Bool { patterns.isEmpty }

    /// The pattern with an identity.
    package subscript(_ id: ID) -> EventPattern? {
        indexed(id).map { EventPattern(program: $0.program) }
    }

    /// Adds a pattern, in the place of the one with the same identity, if there is one.
    package mutating func insert(_ id: ID, _ pattern: EventPattern) {
        remove(id)
        serial += 1
        let program = pattern.program
        let indexed = IndexedPattern(id: id, serial: serial, program: program, paths: paths.add(program.pathNames))
        for route in indexed.routes() { root = root.inserting(route, indexed) }
        patterns = patterns.updating(Self.hash(id), where: { $0.id as? ID == id }, to: { _ in indexed })
    }

    /// Removes a pattern.
    ///
    /// - Returns: The pattern, or nil if there was none.
    @discardableResult
    package mutating func remove(_ id: ID) -> EventPattern? {
        guard let indexed = indexed(id) else { return nil }
        for route in indexed.routes() { root = root.removing(route, indexed) ?? .empty }
        paths.remove(indexed.program.pathNames)
        patterns = patterns.updating(Self.hash(id), where: { $0.id as? ID == id }, to: { _ in nil })
        return EventPattern(program: indexed.program)
    }

    /// The identities of the patterns that an event meets, each once, in the order in which they were inserted.
    package func matches(_ event: JSONView) -> [ID] {
        guard event.kind == .object else { return [] }
        var fields = EventFields()
        fields.collect(from: event, along: paths.trie)
        return fields.read { reader in root.matches(reader) }.compactMap { $0.id as? ID }
    }

    /// The identities of the patterns that several documents meet as if they were one object's members.
    package func matches(_ roots: [EventRoot]) -> [ID] {
        var fields = EventFields()
        fields.collect(from: roots, along: paths.trie)
        return fields.read { reader in root.matches(reader) }.compactMap { $0.id as? ID }
    }

    private func indexed(_ id: ID) -> IndexedPattern? {
        patterns.first(Self.hash(id)) { $0.id as? ID == id }
    }

    private static func hash(_ id: ID) -> UInt64 { ByteHash.of(UInt64(bitPattern: Int64(id.hashValue))) }
}

extension EventPattern {
    init(program: PatternProgram) { self.program = program }
}
