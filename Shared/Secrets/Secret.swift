import Crypto
import Glibc

/// Bytes that nothing shows: no description, reflection, interpolation, dump or encoding has them.
///
/// The memory is overwritten when the last copy goes. What a caller copies out of ``withUnsafeBytes(_:)`` or
/// ``withText(_:)`` is the caller's to keep as short as it can.
package struct Secret: Sendable {
    /// What is shown in a secret's place.
    package static let placeholder = "<secret>"

    /// The most bytes that a sealed secret may have.
    package static let maximumBytes = 65_536

    /// The bytes in memory that is overwritten at its end, which makes them usable as a key without another copy.
    let key: SymmetricKey

    /// Wraps bytes.
    package init(_ bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

    /// Wraps a copy of bytes.
    package init(_ bytes: UnsafeRawBufferPointer) { key = SymmetricKey(data: bytes) }

    /// Wraps the UTF-8 of a text.
    package init(_ text: String) {
        var text = text
        key = text.withUTF8 { SymmetricKey(data: UnsafeRawBufferPointer($0)) }
    }

    init(_ key: SymmetricKey) { self.key = key }

    /// Wraps what a closure writes into a buffer, which is overwritten afterwards.
    ///
    /// - Parameters:
    ///   - capacity: The buffer's size in bytes.
    ///   - write: Fills the buffer from its start and returns how many bytes it wrote.
    /// - Throws: What the closure throws.
    init<Failure: Error>(
        capacity: Int,
        _ write: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        defer {
            // A plain loop over memory that is never read again may be optimised away.
            if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
            buffer.deallocate()
        }
        let count = try write(buffer)
        self.init(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// How many bytes the secret has.
    package var count: Int { key.bitCount / 8 }

    /// Lends the bytes.
    ///
    /// - Parameter body: Uses the bytes, which are gone when it returns.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    package func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let result: Result<Value, Failure> = key.withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Lends the secret as text.
    ///
    /// - Parameter body: Uses the text, of which nothing here is left when it returns.
    /// - Returns: What the closure returns; nil, without calling it, where the bytes are not UTF-8.
    /// - Throws: What the closure throws.
    package func withText<Value, Failure: Error>(
        _ body: (String) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard let text = withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else { return nil }
        return try body(text)
    }
}

extension Secret: Equatable {
    /// Whether two secrets have the same bytes, in a time that depends on their lengths alone.
    package static func == (left: Secret, right: Secret) -> Bool { left.key == right.key }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { Self.placeholder }
    package var debugDescription: String { Self.placeholder }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
