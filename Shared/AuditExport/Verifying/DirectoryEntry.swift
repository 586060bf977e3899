import Glibc

extension UnsafeMutablePointer<dirent> {
    /// The bytes of the name, which may be longer than the field that is declared for it.
    var name: [UInt8] {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let start = UnsafeRawPointer(self).advanced(by: offset).assumingMemoryBound(to: CChar.self)
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    /// Whether this is the directory itself, or the one above it.
    var isDots: Bool { name == Array(".".utf8) || name == Array("..".utf8) }
}
