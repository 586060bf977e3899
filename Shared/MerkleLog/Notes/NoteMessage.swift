/// The bytes that signatures are made over.
enum NoteMessage {
    /// The first line of what a witness signs.
    static let cosignatureHeader = "cosignature/v1\n"

    /// What a witness signs, by C2SP tlog-cosignature; nil where the text is no checkpoint or the time too late.
    static func cosignature(of text: String, time: UInt64) -> [UInt8]? {
        guard time < 1 << 63, (try? Checkpoint(parsing: text)) != nil else { return nil }
        return Array("\(cosignatureHeader)time \(time)\n\(text)".utf8)
    }
}
