import JSON

/// The values of an event at the paths that patterns name, copied out of the document.
struct EventFields {
    /// In the order of the event until ``read(_:)`` sorts them by path.
    private(set) var entries: [FieldEntry] = []

    /// The UTF-8 of the strings.
    private(set) var text: [UInt8] = []

    /// The elements of arrays, objects or arrays themselves, that hold an entry.
    private(set) var elements: [ArrayElement] = []

    /// The arrays that were entered.
    private(set) var arrays: [ArraySpan] = []

    /// Adds the fields of an event.
    mutating func collect(from event: JSONView, along paths: PathTrie) {
        guard !paths.root.steps.isEmpty else { return }
        let bytes = event.rawBytes
        bytes.withUnsafeBufferPointer { text in
            var walk = FieldWalk(text: text, offset: bytes.startIndex, fields: EventFields())
            swap(&walk.fields, &self)
            walk.object(event, paths.root, element: ArrayElement.none)
            swap(&walk.fields, &self)
        }
    }

    /// Adds the fields of several documents, each under a name.
    mutating func collect(from roots: [EventRoot], along paths: PathTrie) {
        for root in roots {
            let bytes = root.value.rawBytes
            bytes.withUnsafeBufferPointer { text in
                var walk = FieldWalk(text: text, offset: bytes.startIndex, fields: EventFields())
                swap(&walk.fields, &self)
                Array(root.name.utf8).withUnsafeBufferPointer { name in
                    walk.step(name, root.value, paths.root, element: ArrayElement.none)
                }
                swap(&walk.fields, &self)
            }
        }
    }

    /// Sorts the entries and lets them be read.
    mutating func read<Result>(_ body: (FieldReader) -> Result) -> Result {
        if entries.count > 1 {
            // Order decides between equal paths, as the sort need not be stable.
            entries.sort { ($0.path, $0.order) < ($1.path, $1.order) }
        }
        return entries.withUnsafeBufferPointer { entries in
            text.withUnsafeBufferPointer { text in
                body(FieldReader(entries: entries, text: text, elements: elements, arrays: arrays))
            }
        }
    }
}

extension EventFields {
    mutating func append(_ kind: JSONKind, number: Double, hash: UInt64, path: Int, element: Int32) {
        append(kind, number: number, hash: hash, path: path, element: element, from: text.count)
    }

    mutating func append(string: ByteText, path: Int, element: Int32) {
        let start = text.count
        text.append(contentsOf: string)
        append(.string, number: 0, hash: ByteHash.of(string), path: path, element: element, from: start)
    }

    /// A number, with its text where no double stands for it.
    mutating func append(number bytes: ByteText, path: Int, element: Int32) {
        if let number = NumberText.value(of: bytes), number.isFinite {
            append(.number, number: number, hash: Literal.hash(of: number), path: path, element: element)
        } else {
            let start = text.count
            text.append(contentsOf: bytes)
            let number = bytes.first == UInt8(ascii: "-") ? -Double.infinity : .infinity
            append(.number, number: number, hash: ByteHash.of(bytes), path: path, element: element, from: start)
        }
    }

    private mutating func append(
        _ kind: JSONKind,
        number: Double,
        hash: UInt64,
        path: Int,
        element: Int32,
        from start: Int
    ) {
        entries.append(
            FieldEntry(
                path: path,
                element: element,
                order: entries.count,
                kind: kind,
                range: start..<text.count,
                number: number,
                hash: hash
            )
        )
    }

    mutating func openArray() -> Int {
        arrays.append(ArraySpan(start: entries.count, end: entries.count))
        return arrays.count - 1
    }

    mutating func closeArray(_ array: Int) {
        // An array without entries constrains nothing.
        if arrays[array].start == entries.count, array == arrays.count - 1 {
            arrays.removeLast()
        } else {
            arrays[array].end = entries.count
        }
    }

    mutating func openElement(of array: Int, at index: Int, in parent: Int32) -> Int32 {
        elements.append(
            ArrayElement(array: array, index: index, parent: parent, start: entries.count, end: entries.count)
        )
        return Int32(elements.count - 1)
    }

    mutating func closeElement(_ element: Int32) {
        let index = Int(element)
        if elements[index].start == entries.count, index == elements.count - 1 {
            elements.removeLast()
        } else {
            elements[index].end = entries.count
        }
    }
}
