extension JSONView {
    /// The member of an object with this name, compared byte for byte; nil where there is none or this is no object.
    package subscript(_ name: String) -> JSONView? {
        let member = name.utf8.withContiguousStorageIfAvailable { self.member(named: $0) }
        return member ?? Array(name.utf8).withUnsafeBufferPointer { self.member(named: $0) }
    }

    /// The member of an object with this name in UTF-8.
    package func member(named name: UnsafeBufferPointer<UInt8>) -> JSONView? {
        let node = node
        guard node.isObject else { return nil }
        var at = index + 1
        for _ in 0..<node.count {
            if JSONView(storage: storage, index: at).isString(utf8: name) {
                return JSONView(storage: storage, index: at + 1)
            }
            at = Int(storage.nodes[at + 1].next)
        }
        return nil
    }

    /// The element of an array at a position, from 0; nil where there is none or this is no array.
    package func element(at position: Int) -> JSONView? {
        let node = node
        guard node.kind == .array, position >= 0, position < node.count else { return nil }
        var at = index + 1
        for _ in 0..<position { at = Int(storage.nodes[at].next) }
        return JSONView(storage: storage, index: at)
    }

    /// The element of an array at an index; nil where there is none or this is no array.
    package subscript(_ index: Int) -> JSONView? { element(at: index) }

    /// The value a pointer leads to from here.
    package subscript(_ pointer: JSONPointer) -> JSONView? {
        var view = self
        for token in pointer.tokens {
            let next =
                view.kind == .array ? JSONPointer.index(from: token).flatMap { view.element(at: $0) } : view[token]
            guard let next else { return nil }
            view = next
        }
        return view
    }

    /// The elements of an array, in order; none for another kind.
    package var elements: JSONElements {
        let node = node
        return JSONElements(storage: storage, position: index + 1, left: node.kind == .array ? node.count : 0)
    }

    /// The members of an object, in the document's order; none for another kind.
    package var members: JSONMembers {
        let node = node
        return JSONMembers(storage: storage, position: index + 1, left: node.isObject ? node.count : 0)
    }
}

/// The elements of an array, each read where it stands.
package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    let storage: JSONStorage
    var position: Int
    var left: Int

    package var underestimatedCount: Int { left }

    package mutating func next() -> JSONView? {
        guard left > 0 else { return nil }
        let view = JSONView(storage: storage, index: position)
        position = Int(storage.nodes[position].next)
        left -= 1
        return view
    }
}

/// The members of an object, each read where it stands.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let storage: JSONStorage
    var position: Int
    var left: Int

    package var underestimatedCount: Int { left }

    package mutating func next() -> JSONMemberView? {
        guard left > 0 else { return nil }
        let view = JSONMemberView(
            keyView: JSONView(storage: storage, index: position),
            value: JSONView(storage: storage, index: position + 1)
        )
        position = Int(storage.nodes[position + 1].next)
        left -= 1
        return view
    }
}

/// A member of an object, its name undecoded.
package struct JSONMemberView: Sendable {
    /// The name, as a string that can be compared without decoding it.
    package let keyView: JSONView

    package let value: JSONView

    /// The decoded name.
    package var key: String { keyView.stringValue ?? "" }
}
