/// Waits until a value that is looked at again and again satisfies a condition, and returns that value.
///
/// An error of `look` counts as "not yet" and is named when the deadline passes; cancellation ends the wait at once.
///
/// - Parameters:
///   - description: what is waited for, to complete the sentence "… did not come true".
///   - limit: how long it may take.
///   - interval: how long to rest between two looks.
///   - look: reads the value.
///   - condition: true for the value that is waited for.
/// - Returns: the first value that satisfied the condition.
/// - Throws: `TestSupportError` with code `deadlineExceeded` and the last value or error; `CancellationError`.
@discardableResult
package func eventually<Value>(
    _ description: String,
    within limit: Duration = .seconds(20),
    every interval: Duration = .milliseconds(10),
    look: () async throws -> Value,
    until condition: (Value) throws -> Bool
) async throws -> Value {
    let deadline = ContinuousClock.now.advanced(by: limit)
    var last = "nothing was seen"
    while true {
        do {
            let value = try await look()
            if try condition(value) { return value }
            last = "the last value was \(value)"
        } catch let error as CancellationError {
            throw error
        } catch {
            last = "the last error was \(error)"
        }
        guard ContinuousClock.now < deadline else {
            throw TestSupportError(.deadlineExceeded, "“\(description)” did not come true within \(limit): \(last).")
        }
        try await Task.sleep(for: interval)
    }
}

/// Waits until a condition is true.
///
/// - Parameters:
///   - description: what is waited for.
///   - limit: how long it may take.
///   - interval: how long to rest between two looks.
///   - condition: what must come true; an error counts as "not yet".
/// - Throws: `TestSupportError` with code `deadlineExceeded`; `CancellationError`.
package func eventually(
    _ description: String,
    within limit: Duration = .seconds(20),
    every interval: Duration = .milliseconds(10),
    _ condition: () async throws -> Bool
) async throws {
    try await eventually(description, within: limit, every: interval, look: condition, until: { $0 })
}
