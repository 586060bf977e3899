/// The request of each signal, or of a batch of them: a structured CloudEvent of a fixed size, in which only the id's
/// last digits change.
struct SignalRequest: Sendable {
    /// The size of the event, in bytes.
    static let eventBytes = 1_024
    /// How many digits tell the signals of one invocation apart.
    private static let digits = 9

    /// The lines of the head that every request has.
    private let headers: String
    private let template: [UInt8]
    private let eventStart: Int
    private let numberStart: Int

    /// Makes the template.
    ///
    /// - Parameters:
    ///   - host: The value of the header `Host`.
    ///   - token: The bearer token.
    ///   - type: The signals' type.
    init(host: String, token: String, type: String) {
        let id = "\"id\":\"\(type)-"
        let first = "{\"specversion\":\"1.0\",\(id)"
        let zeros = String(repeating: "0", count: Self.digits)
        let second = """
            ","source":"/bench","type":"\(type)","time":"2026-11-21T08:00:00Z","datacontenttype":"application/json",\
            "data":{"order":{"number":"A-2026-118842","channel":"web","currency":"EUR","total":12990,"lines":[\
            {"sku":"KB-104-ES","quantity":1,"price":8990,"taxes":{"rate":21,"included":true}},\
            {"sku":"MS-220","quantity":2,"price":2000,"taxes":{"rate":21,"included":true}}]},\
            "customer":{"id":"c-55120","segment":"business","country":"ES","newsletter":false},\
            "delivery":{"method":"courier","window":["2026-11-23","2026-11-25"],"fragile":false},"note":"
            """
        let last = "\"}}"
        let fill = "Please ring twice and leave the parcel with the porter. "
        let missing = Self.eventBytes - first.utf8.count - Self.digits - second.utf8.count - last.utf8.count
        let note = String(decoding: (0..<max(0, missing)).map { Array(fill.utf8)[$0 % fill.utf8.count] }, as: UTF8.self)
        let event = first + zeros + second + note + last
        headers = """
            POST /api/signals HTTP/1.1\r
            Host: \(host)\r
            Authorization: Bearer \(token)\r\n
            """
        let head = Self.head(headers, contentType: "application/cloudevents+json", length: event.utf8.count)
        template = Array((head + event).utf8)
        eventStart = head.utf8.count
        numberStart = head.utf8.count + first.utf8.count
    }

    /// The whole request of one signal.
    func bytes(_ number: Int) -> [UInt8] {
        var bytes = template
        var rest = number
        for index in (numberStart..<(numberStart + Self.digits)).reversed() {
            bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return bytes
    }

    /// The whole request of several signals.
    func bytes(batch numbers: Range<Int>) -> [UInt8] {
        let length = 2 + numbers.count * Self.eventBytes + max(0, numbers.count - 1)
        let head = Self.head(headers, contentType: "application/cloudevents-batch+json", length: length)
        var bytes = Array(head.utf8)
        bytes.reserveCapacity(bytes.count + length)
        bytes.append(UInt8(ascii: "["))
        for number in numbers {
            if number != numbers.lowerBound { bytes.append(UInt8(ascii: ",")) }
            bytes += event(number)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// The event alone.
    func event(_ number: Int) -> [UInt8] {
        Array(bytes(number)[eventStart...])
    }

    private static func head(_ headers: String, contentType: String, length: Int) -> String {
        "\(headers)Content-Type: \(contentType)\r\nContent-Length: \(length)\r\n\r\n"
    }
}
