/// The parameters of a query string.
struct Query: Sendable {
    /// Name and value of each, decoded, in their order.
    let items: [(name: String, value: String)]

    /// Reads `name=value&…`; nil where an escape is broken.
    init?(_ text: Substring) {
        var items: [(name: String, value: String)] = []
        for pair in text.split(separator: "&", maxSplits: 100) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                return nil
            }
            items.append((name, value))
        }
        self.items = items
    }

    /// The value of a parameter, the first one where it stands twice.
    subscript(name: String) -> String? {
        items.first { $0.name == name }?.value
    }

    /// The query with one parameter replaced or added, encoded.
    func replacing(_ name: String, with value: String) -> String {
        (items.filter { $0.name != name } + [(name, value)])
            .map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
            .joined(separator: "&")
    }
}
