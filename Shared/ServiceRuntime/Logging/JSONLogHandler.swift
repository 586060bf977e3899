package import Logging

/// Writes each log event as one JSON object on one line.
///
/// The members stand in this order: `time`, `level`, `service`, `replica`, `message`, `trace_id`, `span_id`, `tenant`,
/// then the rest of the metadata by name. Nested metadata is flattened with dots; a name that is taken by one of the
/// first five is written as `metadata.<name>`.
package struct JSONLogHandler: LogHandler {
    /// The metadata keys that stand before the others.
    static let leadingKeys = ["trace_id", "span_id", "tenant"]
    private static let takenKeys: Set<String> = ["time", "level", "service", "replica", "message"]

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    /// The members that no event changes, already written: `"service":"…","replica":"…"`.
    private let origin: [UInt8]
    private let sink: any LogSink
    private let now: @Sendable () -> LogTime

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - service: The service's name.
    ///   - replica: The replica's name.
    ///   - level: The level from which on events are written.
    ///   - sink: Where lines go.
    ///   - metadataProvider: Adds metadata of the current task.
    ///   - now: The wall clock.
    package init(
        service: String,
        replica: String,
        level: Logger.Level,
        sink: any LogSink,
        metadataProvider: Logger.MetadataProvider? = nil,
        now: @escaping @Sendable () -> LogTime = LogTime.now
    ) {
        var origin = JSONLine()
        origin.member("service", text: service)
        origin.member("replica", text: replica)
        self.origin = origin.bytes
        self.logLevel = level
        self.sink = sink
        self.metadataProvider = metadataProvider
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = JSONLine(capacity: 256 + origin.count)
        line.begin()
        line.member("time", text: now().text)
        line.member("level", text: event.level.rawValue)
        line.raw(origin)
        line.member("message", text: event.message.description)
        appendMetadata(of: event, to: &line)
        line.end()
        line.newline()
        sink.write(line.bytes)
    }

    private func appendMetadata(of event: LogEvent, to line: inout JSONLine) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = .string("\(error)") }
        guard !all.isEmpty else { return }
        for key in Self.leadingKeys {
            if let value = all.removeValue(forKey: key) { append(value, as: key, to: &line) }
        }
        for key in all.keys.sorted() {
            guard let value = all[key] else { continue }
            append(value, as: Self.takenKeys.contains(key) ? "metadata.\(key)" : key, to: &line)
        }
    }

    private func append(_ value: Logger.Metadata.Value, as name: String, to line: inout JSONLine) {
        guard case .dictionary(let members) = value else {
            line.member(name, value: value)
            return
        }
        for key in members.keys.sorted() {
            if let member = members[key] { append(member, as: "\(name).\(key)", to: &line) }
        }
    }
}
