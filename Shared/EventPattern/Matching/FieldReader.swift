/// An event's fields, sorted by path and, within a path, by their order in the event.
struct FieldReader {
    let entries: UnsafeBufferPointer<FieldEntry>

    /// The text that the entries point into.
    let text: ByteText

    let elements: [ArrayElement]

    let arrays: [ArraySpan]

    /// The positions of a path's entries.
    @inline(__always)
    func range(of path: Int) -> Range<Int> {
        let start = firstIndex(from: 0, to: entries.count) { entries[$0].path >= path }
        var end = start
        while end < entries.count, entries[end].path == path { end += 1 }
        return start..<end
    }

    /// The text of an entry's string.
    @inline(__always)
    func text(of entry: FieldEntry) -> ByteText { ByteText(rebasing: text[entry.range]) }

    /// The first position at which a condition holds that holds from some position on.
    @inline(__always)
    func firstIndex(from start: Int, to end: Int, where holds: (Int) -> Bool) -> Int {
        var (low, high) = (start, end)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
