private import Glibc

/// What a reader follows while rounds run.
package enum FaultConsole {
    /// Prints a line at once, also where the output goes to a file.
    package static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
