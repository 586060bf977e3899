/// What has passed between client and relay during one submission, as far as the outcome hangs on it.
///
/// It holds no password: of what is sent it keeps the verb alone.
struct SubmissionTranscript: Sendable {
    /// The verb of the last command before the farewell, such as `RCPT`.
    private(set) var command = ""
    /// How many recipients have been named to the relay.
    private(set) var recipientCount = 0
    /// Whether the last byte of the message has been given to the connection.
    ///
    /// From here on the relay may have all of it. Before, it certainly has not: the dot that ends the message comes last.
    private(set) var isHandedOver = false
    /// The reply to the last command before the farewell.
    private(set) var reply: SMTPReply?
    /// The reply to the whole message.
    private(set) var verdict: SMTPReply?

    private var lines: [UInt8] = []
    private var isLeaving = false
    private static let verbs: Set<String> = [
        "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET",
    ]

    /// A command was sent.
    mutating func commandSent(_ line: some Sequence<UInt8>) {
        let verb = String(decoding: line.lazy.prefix { $0 > 0x20 }.prefix(16), as: UTF8.self).uppercased()
        // The farewell changes nothing of what was said before.
        guard verb != "QUIT", !isLeaving else {
            isLeaving = true
            return
        }
        reply = nil
        lines = []
        // What is no command is the answer to a challenge of AUTH.
        command = Self.verbs.contains(verb) ? verb : "AUTH"
        if command == "RCPT" { recipientCount += 1 }
    }

    /// The last byte of the message was given away.
    mutating func messageHandedOver() {
        isHandedOver = true
        reply = nil
        lines = []
    }

    /// A line came from the relay.
    mutating func lineReceived(_ line: some Collection<UInt8>) {
        let digits = line.prefix(3)
        guard !isLeaving, digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }) else { return }
        let status = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        let rest = line.dropFirst(3)
        let mark = rest.first ?? UInt8(ascii: " ")
        if !lines.isEmpty { lines.append(UInt8(ascii: " ")) }
        lines += rest.dropFirst().prefix(max(0, SMTPReply.maximumText - lines.count)).filter {
            $0 >= 0x20 && $0 != 0x7F
        }
        guard mark != UInt8(ascii: "-") else { return }
        let reply = SMTPReply(status: status, text: String(decoding: lines, as: UTF8.self))
        lines = []
        self.reply = reply
        if isHandedOver, verdict == nil { verdict = reply }
    }

    /// What is known of the effect where no reply tells.
    var outcome: MailError.Outcome { isHandedOver ? .unknown : .notSent }
}
