import JSON

extension Problem {
    /// Reads the body of a reply that says what went wrong.
    ///
    /// A body that is no problem, or names a code that this release does not know, becomes what stands for the status.
    ///
    /// - Parameters:
    ///   - body: The reply's body.
    ///   - status: The reply's status.
    package init(replyBody body: [UInt8], status: Int) {
        let root = (try? JSONDocument(parsing: body))?.root
        let code = root?["code"]?.stringValue.flatMap { ProblemCode(rawValue: $0) } ?? .standing(for: status)
        self.init(
            code,
            root?["detail"]?.stringValue,
            detailES: root?["detail_es"]?.stringValue,
            errors: root?["errors"]?.elements.compactMap { Self.detail($0) } ?? []
        )
    }

    private static func detail(_ view: JSONView) -> Detail? {
        guard let pointer = view["pointer"]?.stringValue, let code = view["code"]?.stringValue,
            let detail = view["detail"]?.stringValue
        else {
            return nil
        }
        return Detail(pointer: pointer, code: code, detail: detail)
    }
}
