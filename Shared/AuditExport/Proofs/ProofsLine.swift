import JSON
package import MerkleLog

/// The lines of a file of entries with proofs.
package enum ProofsLine {
    /// What the first line says the file is.
    static let format = "batuta.audit.proofs"

    /// The version that the first line says.
    static let version: Int64 = 1

    /// The first line, with its line feed: the checkpoint that the proofs lead to.
    package static func head(checkpoint: String) -> [UInt8] {
        line { writer in
            writer.member("checkpoint", checkpoint)
            writer.member("format", format)
            writer.member("v", version)
        }
    }

    /// A line, with its line feed: an entry's canonical bytes, its index, and its proof from the leaf upwards.
    package static func entry(_ canonical: [UInt8], index: UInt64, proof: [MerkleHash]) -> [UInt8] {
        line { writer in
            writer.member("entry", String(decoding: canonical, as: UTF8.self))
            writer.member("index", Int64(clamping: index))
            writer.key("proof")
            writer.beginArray()
            for hash in proof {
                writer.string(hash.base64)
            }
            writer.endArray()
        }
    }

    private static func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        members(&writer)
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}
