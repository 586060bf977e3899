private import Foundation
private import Glibc
private import Synchronization

/// A child process that inherits three files and nothing else, and whose end is noticed when it ends.
///
/// Foundation's `Process` hands a socket on to the child and takes the closing of that socket for the child's end, so
/// that a server which the child leaves running keeps it waiting for ever. Here a thread waits for the process itself.
package final class SpawnedProcess: Sendable {
    /// The process id.
    package let pid: Int32

    private let state: State

    /// What is shared with the waiting thread.
    private final class State: Sendable {
        let value = Mutex(Value())
    }

    private struct Value {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    /// Starts a program with its output in a file and no input.
    ///
    /// - Parameters:
    ///   - executable: the path of the program.
    ///   - arguments: its arguments.
    ///   - environment: its whole environment.
    ///   - output: the path of a file; what both streams write is appended.
    /// - Throws: `TestSupportError` with code `notStarted`.
    package init(_ executable: String, _ arguments: [String], environment: [String: String], output: String) throws {
        pid = try Self.spawn(executable, arguments, environment: environment, output: output)
        let state = State()
        self.state = state
        let pid = pid
        // waitpid blocks, so it has a thread of its own, which ends with the process.
        Thread.detachNewThread {
            let status = Self.wait(for: pid, state: state)
            let waiters = state.value.withLock { value in
                defer { value.waiters = [] }
                value.status = status
                return value.waiters
            }
            for waiter in waiters { waiter.resume(returning: status) }
        }
    }

    /// The exit status, or 128 plus the signal that ended it; nil while it runs.
    package var exitStatus: Int32? { state.value.withLock { $0.status } }

    /// Waits for the end.
    package func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.value.withLock { value in
                if value.status == nil { value.waiters.append(continuation) }
                return value.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Sends a signal unless the process has ended.
    package func signal(_ number: Int32) {
        state.value.withLock { value in
            guard value.status == nil else { return }
            _ = kill(pid, number)
        }
    }

    private static func wait(for pid: Int32, state: State) -> Int32 {
        var information = siginfo_t()
        // WNOWAIT leaves the pid taken until the status stands, so that no signal can reach another process.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        return state.value.withLock { value in
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
            let signal = raw & 0x7F
            let status = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
            value.status = status
            return status
        }
    }

    private static func spawn(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String],
        output: String
    ) throws -> Int32 {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&files, 1, 2)
        // Descriptors that are not open are passed over; what lies above was opened with close-on-exec by everybody.
        for descriptor in Int32(3)..<1024 {
            posix_spawn_file_actions_addclose(&files, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        sigfillset(&mask)
        posix_spawnattr_setsigdefault(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid: pid_t = 0
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                posix_spawn(&pid, executable, &files, &attributes, argv, envp)
            }
        }
        guard code == 0 else {
            throw TestSupportError(.notStarted, "\(executable) did not start: \(String(cString: strerror(code))).")
        }
        return pid
    }

    /// Hands a null-terminated array of C strings to a closure.
    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
