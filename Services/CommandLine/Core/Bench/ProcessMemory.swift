import Foundation

/// What a process, or a tree of them, holds in memory, in bytes.
struct ProcessMemory: Equatable, Sendable {
    /// Pages that no other process maps, those of its executable included: what its end would set free.
    var privateBytes: Int64
    /// Pages in memory; one that several processes of a tree map counts once for each.
    var residentBytes: Int64

    init(privateBytes: Int64 = 0, residentBytes: Int64 = 0) {
        self.privateBytes = privateBytes
        self.residentBytes = residentBytes
    }

    /// Reads the text of `/proc/<pid>/smaps_rollup`; nil where a member is missing.
    init?(smapsRollup text: String) {
        var kilobytes: [Substring: Int64] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 3, fields[2] == "kB", let size = Int64(fields[1]) else { continue }
            kilobytes[fields[0]] = size
        }
        guard let resident = kilobytes["Rss:"], let clean = kilobytes["Private_Clean:"],
            let dirty = kilobytes["Private_Dirty:"]
        else { return nil }
        privateBytes = (clean &+ dirty) &* 1_024
        residentBytes = resident &* 1_024
    }

    /// Both sums.
    static func + (left: ProcessMemory, right: ProcessMemory) -> ProcessMemory {
        ProcessMemory(
            privateBytes: left.privateBytes &+ right.privateBytes,
            residentBytes: left.residentBytes &+ right.residentBytes
        )
    }

    /// The larger of each.
    func maximum(_ other: ProcessMemory) -> ProcessMemory {
        ProcessMemory(
            privateBytes: max(privateBytes, other.privateBytes),
            residentBytes: max(residentBytes, other.residentBytes)
        )
    }

    /// Adds up the processes that still run.
    ///
    /// - Throws: ``CommandLineError`` where none can be read: they have ended, or belong to somebody else.
    static func now(of tree: ProcessTree, members: [Int32]) throws(CommandLineError) -> ProcessMemory {
        var sum: ProcessMemory?
        for pid in members {
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8),
                let memory = ProcessMemory(smapsRollup: text)
            else { continue }
            sum = (sum ?? ProcessMemory()) + memory
        }
        guard let sum else {
            throw CommandLineError(.system, "the memory of the process \(tree.name) (\(tree.pid)) cannot be read")
        }
        return sum
    }
}
