import Glibc

/// Ends the process where a part neither finishes nor heeds its cancellation.
///
/// It is a thread of its own, because what it guards against may hold every thread of the cooperative pool.
enum DrainWatchdog {
    /// How long cancelled parts may take to end.
    static let cancellationBound: Duration = .seconds(5)

    /// Starts the count; it ends with the process.
    ///
    /// - Parameters:
    ///   - timeout: How long the drain may take.
    ///   - line: What is written to standard error before the process is ended.
    static func start(timeout: Duration, line: [UInt8]) {
        let seconds = (timeout + cancellationBound).components.seconds + 1
        let order = Order(seconds: UInt32(clamping: seconds), line: line)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 65_536)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(order)
        let result = pthread_create(&thread, &attributes, watch, argument.toOpaque())
        if result != 0 { argument.release() }
    }

    private final class Order: Sendable {
        let seconds: UInt32
        let line: [UInt8]

        init(seconds: UInt32, line: [UInt8]) {
            self.seconds = seconds
            self.line = line
        }
    }

    private static let watch: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let order = Unmanaged<Order>.fromOpaque(argument).takeRetainedValue()
        var rest = order.seconds
        while rest > 0 { rest = sleep(rest) }
        _ = order.line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _exit(ServiceExit.failure.rawValue)
    }
}
