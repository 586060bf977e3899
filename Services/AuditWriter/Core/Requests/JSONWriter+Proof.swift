import JSON
import MerkleLog

extension JSONWriter {
    /// Writes the member `proof`: its hashes in base64.
    mutating func proof(_ proof: [MerkleHash]) {
        key("proof")
        beginArray()
        for hash in proof {
            string(hash.base64)
        }
        endArray()
    }
}
