/// A search for text in text, linear in both whatever they are.
///
/// The algorithm is that of Knuth, Morris and Pratt ("Fast pattern matching in strings", 1977). It compares bytes: as
/// both sides are UTF-8, a match never begins or ends within a character.
struct TextSearch {
    private let pattern: [UInt8]

    /// For each prefix of the pattern the length of its longest proper prefix that is also its suffix.
    private let borders: [Int]

    /// The pattern's bytes, at least one.
    var count: Int { pattern.count }

    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - text: What to search for.
    ///   - function: What searches, for the sentence on an empty text.
    /// - Throws: `invalid_argument` for an empty text.
    init(_ text: String, of function: TemplateFunction) throws(TemplateFailure) {
        guard !text.isEmpty else {
            throw TemplateFailure(.invalidArgument, "\(function.rawValue) cannot look for an empty text.")
        }
        pattern = Array(text.utf8)
        var borders = [0]
        borders.reserveCapacity(pattern.count)
        var length = 0
        for byte in pattern.dropFirst() {
            while length > 0, pattern[length] != byte { length = borders[length - 1] }
            if pattern[length] == byte { length += 1 }
            borders.append(length)
        }
        self.borders = borders
    }

    /// Where the pattern begins in a text, from the left, none overlapping another.
    func places(in source: [UInt8]) -> [Int] {
        var places: [Int] = []
        var length = 0
        for (at, byte) in source.enumerated() {
            while length > 0, pattern[length] != byte { length = borders[length - 1] }
            if pattern[length] == byte { length += 1 }
            if length == pattern.count {
                places.append(at + 1 - length)
                length = 0
            }
        }
        return places
    }
}
