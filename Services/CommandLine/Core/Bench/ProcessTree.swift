import ArgumentParser
import Foundation
import Glibc

/// A process by a name of our choosing, standing for all that descend from it.
struct ProcessTree: ExpressibleByArgument, Equatable, Sendable {
    let name: String
    let pid: Int32

    /// Reads `name=pid`.
    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let pid = Int32(parts[1]), pid > 0 else { return nil }
        name = String(parts[0])
        self.pid = pid
    }
}

/// The CPU time of every process at one moment.
struct ProcessTimes: Sendable {
    /// One line of `/proc/<pid>/stat`, as far as it matters here.
    struct Entry: Equatable, Sendable {
        var parent: Int32
        /// User and system time in ticks, of the process and of its children that have ended and been waited for.
        var ticks: Int64

        /// Reads the line; the command's name in it may hold blanks and brackets.
        init?(stat: String) {
            guard let bracket = stat.lastIndex(of: ")") else { return nil }
            let fields = stat[stat.index(after: bracket)...].split { $0 == " " || $0 == "\n" }
            guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
            let times = fields[11...14].compactMap { Int64($0) }
            guard times.count == 4 else { return nil }
            self.parent = parent
            ticks = times.reduce(0, &+)
        }
    }

    private let entries: [Int32: Entry]

    init(_ entries: [Int32: Entry]) {
        self.entries = entries
    }

    /// Reads the processes that run now.
    static func now() -> ProcessTimes {
        var entries: [Int32: Entry] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8)
            else {
                continue
            }
            entries[pid] = Entry(stat: stat)
        }
        return ProcessTimes(entries)
    }

    /// The CPU time of a process and all that descend from it, in ticks; nil when it does not run.
    func ticks(of root: Int32) -> Int64? {
        let members = members(of: root)
        return members.isEmpty ? nil : members.reduce(0) { $0 &+ (entries[$1]?.ticks ?? 0) }
    }

    /// A process and all that descend from it; empty when it does not run.
    func members(of root: Int32) -> [Int32] {
        guard entries[root] != nil else { return [] }
        let children = Dictionary(grouping: entries.keys) { entries[$0]?.parent ?? 0 }
        var members: [Int32] = []
        var waiting = [root]
        var seen: Set<Int32> = []
        while let pid = waiting.popLast() {
            guard seen.insert(pid).inserted else { continue }
            members.append(pid)
            waiting += children[pid] ?? []
        }
        return members
    }

    /// The seconds of CPU that each tree has used since an earlier moment.
    ///
    /// - Throws: ``CommandLineError`` when one of them did not run all the time.
    func seconds(since earlier: ProcessTimes, of trees: [ProcessTree]) throws(CommandLineError) -> [(String, Double)] {
        let perSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        var seconds: [(String, Double)] = []
        for tree in trees {
            guard let before = earlier.ticks(of: tree.pid), let after = ticks(of: tree.pid) else {
                throw CommandLineError(.system, "the process \(tree.name) (\(tree.pid)) does not run")
            }
            seconds.append((tree.name, Double(after - before) / perSecond))
        }
        return seconds
    }
}
