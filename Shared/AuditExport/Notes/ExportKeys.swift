package import MerkleLog

/// The keys that whoever verifies an export trusts.
package struct ExportKeys: Sendable {
    /// The keys of the log and of witnesses, each of them once for every kind of signature that it makes.
    let keys: [Key]

    struct Key: Sendable {
        let verifier: NoteVerifierKey
        let isLog: Bool
    }

    /// Takes verifier keys.
    ///
    /// A key of the log is taken for both kinds of its signatures, whichever of the two was given. Throws where a
    /// witness's key is not one that signs with a time, a name is no origin, or there is no key of a log.
    package init(log: [NoteVerifierKey], witnesses: [NoteVerifierKey] = []) throws(ExportError) {
        guard !log.isEmpty else { throw ExportError(.usage, "A key of the log is needed.") }
        var keys: [Key] = []
        for given in log {
            guard Checkpoint.isOrigin(given.name) else {
                throw ExportError(.usage, "The name of the key \(given) cannot be that of a log.")
            }
            for kind in NoteKeyKind.allCases {
                guard let key = try? NoteVerifierKey(name: given.name, kind: kind, publicKey: given.publicKey) else {
                    throw ExportError(.usage, "\(given) is no key of a log.")
                }
                keys.append(Key(verifier: key, isLog: true))
            }
        }
        for key in witnesses {
            guard key.kind == .cosignature, Checkpoint.isOrigin(key.name) else {
                throw ExportError(.usage, "\(key) is no key of a witness: its type is not 4, or its name is none.")
            }
            keys.append(Key(verifier: key, isLog: false))
        }
        self.keys = keys
    }

    /// What to make of a signature by a key that was not given.
    enum Unknown {
        case refuse
        case ignore
    }

    /// Verifies a note: its form, and every signature by a key that was given.
    ///
    /// Throws, with a reason for people, where the note is none, has two signatures of one name and key id, one that is
    /// not valid, or one by an unknown key where that is refused.
    func open(_ bytes: [UInt8], unknown: Unknown) throws(NoteRefusal) -> OpenedNote {
        guard bytes.count <= OpenedNote.maximumSize else {
            throw NoteRefusal("it has more than \(OpenedNote.maximumSize) bytes")
        }
        let note: SignedNote
        do { note = try SignedNote(parsing: bytes) } catch { throw NoteRefusal(error) }
        guard note.signatures.count <= OpenedNote.maximumSignatures else {
            throw NoteRefusal("it has more than \(OpenedNote.maximumSignatures) signatures")
        }
        var opened = OpenedNote(text: note.text)
        var seen: Set<SignerName> = []
        for signature in note.signatures {
            // With the texts that are taken this leaves no place for a control character.
            guard Checkpoint.isOrigin(signature.name) else {
                throw NoteRefusal("the name of a signature is not printable ASCII without spaces and +")
            }
            guard seen.insert(SignerName(name: Array(signature.name.utf8), id: signature.keyID)).inserted else {
                throw NoteRefusal("it has two signatures of one key")
            }
            guard let key = keys.first(where: { $0.verifier.isNamed(by: signature) }) else {
                guard unknown == .ignore else { throw NoteRefusal("it has a signature by a key that was not given") }
                continue
            }
            do {
                let verified = try key.verifier.verify(signature, of: note.text)
                opened.signatures.append(OpenedNote.Signature(key: key, time: verified.time))
            } catch {
                throw NoteRefusal(error)
            }
        }
        return opened
    }

    private struct SignerName: Hashable {
        let name: [UInt8]
        let id: UInt32
    }
}

/// Why a note is refused, as the end of a sentence.
struct NoteRefusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    init(_ error: ExportError) { self.init(sentence: error.message) }

    init(_ error: MerkleLogError) { self.init(sentence: error.message) }

    private init(sentence: String) { reason = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence }
}

/// The text of a note, and the keys that have signed it.
struct OpenedNote: Sendable {
    /// The most bytes of a note in an export: 64 KiB.
    static let maximumSize = 64 << 10

    /// The most signatures of a note in an export.
    static let maximumSignatures = 16

    let text: String
    var signatures: [Signature] = []

    struct Signature: Sendable {
        let key: ExportKeys.Key
        /// In seconds since 1970, where the signature says a time.
        let time: UInt64?
    }

    init(text: String) { self.text = text }

    /// Reads the text as a checkpoint that its log has signed; throws where it is none.
    func checkpoint() throws(NoteRefusal) -> Checkpoint {
        let checkpoint: Checkpoint
        do { checkpoint = try Checkpoint(parsing: text) } catch { throw NoteRefusal(error) }
        guard signatures.contains(where: { $0.isBy(logNamed: checkpoint.origin) }) else {
            throw NoteRefusal("no key of the log \(checkpoint.origin) has signed it")
        }
        return checkpoint
    }
}

extension OpenedNote.Signature {
    /// Whether this is a signature of a note, without a time, by a key of the log of this name.
    func isBy(logNamed origin: String) -> Bool {
        key.isLog && key.verifier.kind == .log && key.verifier.name.utf8.elementsEqual(origin.utf8)
    }
}
