import Contracts
import JSON

extension GatewayProblem {
    /// The document of RFC 9457.
    func document(language: Language, requestID: String?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "urn:batuta:problem:\(code)")
        writer.member("title", title)
        writer.member("status", Int64(status))
        writer.member("detail", sentence[language])
        writer.member("code", code)
        if let requestID {
            writer.member("request_id", requestID)
        }
        writer.key("errors")
        writer.beginArray()
        for fault in faults {
            writer.beginObject()
            writer.member("pointer", fault.pointer)
            writer.member("code", fault.code)
            writer.member("detail", fault.sentence[language])
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// A problem as another service has told it.
    init(_ problem: Problem) {
        self.init(
            status: problem.status,
            code: problem.code.rawValue,
            title: problem.code.title,
            sentence: Sentence(problem.detail, problem.detailES),
            faults: problem.errors.map {
                Fault(pointer: $0.pointer, code: $0.code, Sentence($0.detail, $0.detail))
            },
            retryAfter: [.unavailable, .inFlight].contains(problem.code) ? 1 : nil
        )
    }
}
