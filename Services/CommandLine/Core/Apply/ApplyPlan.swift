import JSON

/// What has to be done so that an automation is as its file states it.
struct ApplyPlan: Sendable {
    /// One request.
    enum Step: Equatable, Sendable {
        case create
        /// An edit that is based on this version.
        case edit(version: Int64)
        case activate
        case deactivate
    }

    let file: AutomationFile
    let steps: [Step]
    /// The differences in words, one a line.
    let differences: [String]

    /// Plans for one automation.
    ///
    /// - Parameters:
    ///   - file: As it is to be.
    ///   - current: As the gateway shows it; nil where there is none of its key.
    init(_ file: AutomationFile, current: JSONView?) {
        self.file = file
        var steps: [Step] = []
        var differences: [String] = []
        let status = current?["status"]?.stringValue
        if let current {
            differences = Self.differences(from: current, to: file)
            if !differences.isEmpty {
                steps.append(.edit(version: current["version"]?.int64Value ?? 0))
            }
        } else {
            steps.append(.create)
        }
        switch (file.status, status) {
        case (.active, "active"), (.deprecated, "deprecated"), (nil, _): break
        case (.active, _): steps.append(.activate)
        case (.deprecated, "active"): steps.append(.deactivate)
        // A draft has never been active, so there is nothing to take out of force.
        case (.deprecated, _): break
        }
        self.steps = steps
        self.differences = differences
    }

    /// A line that says what is done, as `+ key: create, activate`.
    var summary: String {
        guard let first = steps.first else {
            return "  \(file.key): unchanged"
        }
        let verbs = steps.map { step in
            switch step {
            case .create: "create"
            case .edit(let version): "edit version \(version)"
            case .activate: "activate"
            case .deactivate: "deactivate"
            }
        }
        return "\(first == .create ? "+" : "~") \(file.key): \(verbs.joined(separator: ", "))"
    }

    private static func differences(from current: JSONView, to file: AutomationFile) -> [String] {
        guard let before = try? document(current["name"], current["description"], current["definition"]),
            let after = try? document(
                file.document.json.root["name"],
                file.document.json.root["description"],
                file.definition
            )
        else {
            return []
        }
        return before.root.differences(to: after.root).map { difference in
            switch (difference.before, difference.after) {
            case (nil, let added?): "add \(difference.pointer.text) \(text(added))"
            case (let removed?, nil): "remove \(difference.pointer.text) \(text(removed))"
            case (let old, let new): "replace \(difference.pointer.text) \(text(old)) with \(text(new))"
            }
        }
    }

    /// What is compared; a file that says nothing of the description states that there is none.
    private static func document(
        _ name: JSONView?,
        _ description: JSONView?,
        _ definition: JSONView?
    ) throws -> JSONDocument {
        var writer = JSONWriter()
        writer.beginObject()
        for (key, value) in [("name", name), ("description", description), ("definition", definition)] {
            writer.key(key)
            if let value { writer.raw(value.rawBytes) } else { writer.null() }
        }
        writer.endObject()
        return try JSONDocument(parsing: writer.bytes, limits: .wrapped)
    }

    /// A value on one line, cut where it is long.
    private static func text(_ view: JSONView?) -> String {
        guard let view else { return "nothing" }
        let text = (try? view.canonicalBytes()).map { String(decoding: $0, as: UTF8.self) } ?? "…"
        return text.count > 120 ? "\(text.prefix(119))…" : text
    }
}
