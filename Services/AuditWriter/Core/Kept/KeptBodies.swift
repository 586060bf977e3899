/// What has become of values that are kept beside the log; those of which it knows nothing have not come yet.
struct KeptBodies: Sendable {
    /// The values that are there, by their hashes.
    var there: [[UInt8]: [UInt8]] = [:]
    /// The hashes of those that were erased.
    var erased: Set<[UInt8]> = []
}
