package import JSON

extension CloudEvent {
    /// Reads a batch (JSON event format 1.0.2, section 4): an array of events in structured form, perhaps an empty one.
    ///
    /// - Parameter document: The array.
    /// - Returns: The events in their order.
    /// - Throws: Every fault of every event, the first 64 at most; their pointers begin with the event's index.
    package static func batch(_ document: JSONDocument) throws(CloudEventError) -> [CloudEvent] {
        guard document.root.kind == .array else {
            let detail = "A batch is a JSON array, not a value of the kind \(document.root.kind)."
            throw CloudEventError(faults: [.init(code: .notAnArray, pointer: .root, detail: detail)])
        }
        var events: [CloudEvent] = []
        var faults: [CloudEventError.Fault] = []
        events.reserveCapacity(document.root.count)
        for (index, element) in document.root.elements.enumerated() {
            guard faults.count < CloudEventReader.maximumFaults else { break }
            do throws(CloudEventError) {
                events.append(try CloudEvent(structured: element, at: JSONPointer.root.appending(index)))
            } catch {
                faults += error.faults.prefix(CloudEventReader.maximumFaults - faults.count)
            }
        }
        guard faults.isEmpty else { throw CloudEventError(faults: faults) }
        return events
    }
}
