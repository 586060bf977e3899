/// The bytes that signatures are made over.
enum NoteMessage {
    private static let cosignatureHeader = "cosignature/v1\n"

    /// What a log signs; nil where no note could hold the text, or it begins as what a witness signs.
    ///
    /// One key may be a log's and a witness's, and neither signature may pass for the other.
    static func log(_ text: String) -> [UInt8]? {
        guard NoteSyntax.isText(text), NoteSyntax.rest(of: text, after: cosignatureHeader) == nil else { return nil }
        return Array(text.utf8)
    }

    /// What a witness signs, by C2SP tlog-cosignature; nil where the text is no checkpoint or the time too late.
    static func cosignature(of text: String, time: UInt64) -> [UInt8]? {
        guard time < 1 << 63, (try? Checkpoint(parsing: text)) != nil else { return nil }
        return Array("\(cosignatureHeader)time \(time)\n\(text)".utf8)
    }
}
