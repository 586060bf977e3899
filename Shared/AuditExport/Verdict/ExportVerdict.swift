/// What the verification of an export has found.
package enum ExportVerdict: Sendable, Hashable {
    /// Nothing was changed, and nothing is missing.
    case good(ExportSummary)
    /// The log or the export was changed.
    case bad(ExportFault)
    /// What is there is genuine, and something is missing.
    case incomplete(ExportFault, ExportSummary)

    /// The verdict in one word.
    package var name: String {
        switch self {
        case .good: "good"
        case .bad: "bad"
        case .incomplete: "incomplete"
        }
    }

    /// What was found; nil where the verdict is good.
    package var fault: ExportFault? {
        switch self {
        case .good: nil
        case .bad(let fault), .incomplete(let fault, _): fault
        }
    }

    /// What the export holds; nil where nothing it says can be relied on.
    package var summary: ExportSummary? {
        switch self {
        case .good(let summary), .incomplete(_, let summary): summary
        case .bad: nil
        }
    }
}

/// The first thing that is wrong with an export.
package struct ExportFault: Error, Sendable, Hashable {
    /// What is wrong.
    package let code: Code

    /// Where: a path, an index, a size or a number of a lane.
    ///
    /// It may have text of a hostile export in it, and is not fit for a terminal as it is.
    package let place: String

    /// What it means, a sentence for people, which may have text of a hostile export in it.
    package let meaning: String

    init(_ code: Code, at place: some CustomStringConvertible, _ meaning: String) {
        self.code = code
        self.place = place.description
        self.meaning = meaning
    }

    /// The kinds of faults, in the order in which they are looked for.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The checkpoint is none that the keys have signed.
        case checkpoint
        /// An earlier checkpoint is none of this log.
        case known
        /// The export is smaller than an earlier checkpoint.
        case cut
        /// The scope is none, or says something else than what is there.
        case scope
        /// A file is missing or does not belong.
        case file
        /// A tile has not its size, or is not what follows from the leaves.
        case tile
        /// A file of entries has not the form of one.
        case bundle
        /// An entry was changed or is none.
        case entry
        /// The leaves do not have the root of the checkpoint.
        case tree
        /// An earlier checkpoint is of another history.
        case fork
        /// An entry is absent that was not sealed.
        case missing
        /// A lane lacks a number.
        case gap
    }
}
