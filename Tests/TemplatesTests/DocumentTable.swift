/// The tables and the first JSON block of a Markdown page.
struct DocumentTable {
    /// A row: its cells by the names of their columns.
    typealias Row = [String: String]

    /// The first block fenced as `json`.
    let json: String

    let rows: [Row]

    init(_ text: String) {
        var json: [Substring] = []
        var jsonState = 0
        var header: [String]?
        var rows: [Row] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            switch (line, jsonState) {
            case ("```json", 0): jsonState = 1
            case ("```", 1): jsonState = 2
            case (_, 1): json.append(line)
            default:
                guard line.hasPrefix("|") else {
                    header = nil
                    continue
                }
                let cells = Self.cells(of: line)
                guard let names = header else {
                    header = cells
                    continue
                }
                guard !line.hasPrefix("| ---") else { continue }
                rows.append(Row(zip(names, cells)) { first, _ in first })
            }
        }
        self.json = json.joined(separator: "\n")
        self.rows = rows
    }

    /// The cells of a line; a bar within a cell is written `\|`.
    private static func cells(of line: Substring) -> [String] {
        var cells: [String] = []
        var cell = ""
        var previous: Character?
        for character in line.dropFirst() {
            if character == "|", previous == "\\" {
                cell.removeLast()
                cell.append(character)
            } else if character == "|" {
                cells.append(cell.trimmingSpaces)
                cell = ""
            } else {
                cell.append(character)
            }
            previous = character
        }
        return cells
    }
}

extension String {
    /// The text without the spaces at its ends.
    var trimmingSpaces: String {
        let head = drop { $0 == " " }
        return String(head.reversed().drop { $0 == " " }.reversed())
    }

    /// The text between the back quotes that it begins with; nil where it begins with none.
    var code: String? {
        guard first == "`", let end = dropFirst().firstIndex(of: "`") else { return nil }
        return String(self[index(after: startIndex)..<end])
    }

    /// What follows the code that it begins with.
    var afterCode: String {
        guard let code else { return self }
        return String(dropFirst(code.count + 2))
    }
}
