/// That a key has signed.
package struct VerifiedSignature: Sendable, Hashable {
    /// The key.
    package let key: NoteVerifierKey

    /// When a witness has seen the checkpoint, in seconds since 1970; nil for a log's signature.
    package let time: UInt64?
}

extension SignedNote {
    /// Finds out which of some keys have signed the note, each once, in the order of the keys.
    ///
    /// Signatures of other keys are ignored. A signature that names a key and is not its signature is an error, not a
    /// lack. Where a witness has signed more than once its latest time counts. An empty answer means that none of the
    /// keys has signed: then the text says nothing.
    package func verified(by keys: [NoteVerifierKey]) throws(MerkleLogError) -> [VerifiedSignature] {
        var verified: [VerifiedSignature] = []
        var seen: Set<NoteVerifierKey> = []
        for key in keys where seen.insert(key).inserted {
            var latest: VerifiedSignature?
            for signature in signatures where key.isNamed(by: signature) {
                let found = try key.verify(signature, of: text)
                if let time = latest?.time, let other = found.time, other <= time { continue }
                latest = found
            }
            if let latest {
                verified.append(latest)
            }
        }
        return verified
    }
}
