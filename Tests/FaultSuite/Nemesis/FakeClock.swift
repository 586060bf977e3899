package import Foundation

/// A clock that processes can be started with, and that jumps when it is told to.
///
/// It is libfaketime, loaded before everything else, which reads its offset from a file anew at every call. The
/// monotonic clock stays real: no machine's jumps.
package struct FakeClock: Sendable {
    private let library: String
    private let file: String

    /// What a process needs in its environment to have this clock.
    package var environment: [String: String] {
        [
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": file,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        ]
    }

    /// Makes a clock that shows the right time; nil on a machine without libfaketime.
    ///
    /// - Parameter folder: where its file is put.
    /// - Throws: when the file cannot be written.
    package init?(in folder: URL) throws {
        let root = URL(fileURLWithPath: "/usr/lib")
        let triplets = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let candidates = triplets.map { root.appendingPathComponent("\($0)/faketime/libfaketimeMT.so.1").path }
        guard let library = candidates.first(where: FileManager.default.fileExists(atPath:)) else { return nil }
        self.library = library
        file = folder.appendingPathComponent("clock-\(UUID().uuidString)").path
        try set(0)
    }

    /// Lets the clock go so many seconds ahead of the right time.
    package func set(_ seconds: Int) throws {
        // Replaced as a whole, since it may be read at any moment.
        let text = "\(seconds < 0 ? "-" : "+")\(abs(seconds))\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}
