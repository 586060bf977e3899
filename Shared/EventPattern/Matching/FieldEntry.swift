import JSON

/// A scalar of the event at a path that patterns name.
struct FieldEntry {
    let path: Int

    /// The innermost array element around the value, see ``ArrayElement``; ``ArrayElement/none`` outside arrays.
    ///
    /// A scalar that is itself an array's element is not bound to that array: `["a", "b"]` has both at once.
    let element: Int32

    /// The position among the event's entries.
    let order: Int

    let kind: JSONKind

    /// Where the text of a string is.
    let range: Range<Int>

    /// The value of a number; 1 for `true`, 0 for `false`.
    let number: Double

    let hash: UInt64
}

/// An element of an array of objects or arrays.
struct ArrayElement {
    static let none: Int32 = -1

    let array: Int
    let index: Int

    /// The element of another array around this one's array.
    let parent: Int32

    /// The orders of the entries inside.
    let start: Int
    var end: Int
}

/// An array, by the orders of the entries inside.
struct ArraySpan {
    let start: Int
    var end: Int
}
