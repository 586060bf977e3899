import Domain
import FoundationEssentials

/// The id of one request, in its answer, in the logs and in the audit log.
enum RequestID {
    /// The client's own id if it is a plain word of at most 128 characters, else a fresh one.
    static func make(header: String?) -> String {
        guard let header, (1...128).contains(header.utf8.count), header.utf8.allSatisfy(isAccepted) else {
            return UUIDv7.make().lowercased
        }
        return header
    }

    private static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
