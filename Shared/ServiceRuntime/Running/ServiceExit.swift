/// How a service ends.
package enum ServiceExit: Int32, Sendable {
    /// It was asked to stop and has finished what it had.
    case success = 0
    /// It could not start, could not go on, or did not finish in time.
    case failure = 1
    /// Its configuration is wrong (`EX_CONFIG`).
    case configuration = 78
}
