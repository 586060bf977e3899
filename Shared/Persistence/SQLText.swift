/// Names and texts as they may stand in SQL, for commands that take no parameters.
enum SQLText {
    /// A name in quotes.
    static func identifier(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }

    /// A text in quotes, whatever `standard_conforming_strings` is.
    static func literal(_ text: String) -> String {
        let doubled = text.replacing("'", with: "''")
        guard doubled.contains("\\") else { return "'\(doubled)'" }
        return "E'\(doubled.replacing("\\", with: "\\\\"))'"
    }
}
