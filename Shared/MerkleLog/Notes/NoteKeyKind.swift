/// What an Ed25519 key of a note signs, by the type byte of C2SP signed-note.
package enum NoteKeyKind: UInt8, Sendable, Hashable, CaseIterable {
    /// A log's key (0x01): it signs the text itself.
    case log = 0x01

    /// A witness's key (0x04, `cosignature/v1`): it signs the text of a checkpoint and the time at which it was seen.
    case cosignature = 0x04
}
