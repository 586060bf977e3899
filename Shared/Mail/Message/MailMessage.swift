/// A message: who gets it, and what it says.
package struct MailMessage: Sendable {
    /// The most bytes that a subject may have.
    package static let maximumSubject = 998
    /// The most recipients that a message may have; every relay takes as many (RFC 5321, section 4.5.3.1.8).
    package static let maximumRecipients = 100

    /// What identifies the message before the `@` of its `Message-ID`.
    ///
    /// A message that is sent again has the same, so that receivers can tell.
    package var key: String
    package var to: [MailAddress]
    package var cc: [MailAddress] = []
    /// Get the message and stand nowhere in it.
    package var bcc: [MailAddress] = []
    package var replyTo: [MailAddress] = []
    /// The name that is shown of the sender, in place of the configured one.
    package var fromName: String?
    package var subject: String
    /// The body as plain text; a message has this, or ``html``, or both.
    package var text: String?
    package var html: String?

    package init(key: String, to: [MailAddress], subject: String, text: String? = nil, html: String? = nil) {
        self.key = key
        self.to = to
        self.subject = subject
        self.text = text
        self.html = html
    }

    /// The addresses that get the message, each once, in the order of `to`, `cc` and `bcc`.
    package var recipients: [String] {
        var seen: Set<String> = []
        return (to + cc + bcc).filter { seen.insert($0.key).inserted }.map(\.spec)
    }

    /// What is wrong with the message; nil where it can be sent.
    package var fault: String? {
        if to.isEmpty { return "A message has at least one recipient in to." }
        if to.count + cc.count + bcc.count > Self.maximumRecipients {
            return "A message has at most \(Self.maximumRecipients) recipients in all."
        }
        if let fault = Self.fault(ofSubject: subject) { return fault }
        return text == nil && html == nil ? "A message has a text or html, or both." : nil
    }

    /// What is wrong with a subject; nil where it can be sent.
    package static func fault(ofSubject subject: String) -> String? {
        guard MailText.isOneLine(subject) else { return "The subject holds no line break and no control character." }
        return subject.utf8.count > maximumSubject ? "The subject has at most \(maximumSubject) bytes." : nil
    }

    /// The identity that the message has when it comes from an address.
    package func id(from sender: MailAddress) -> String {
        var local = ""
        for byte in key.utf8 {
            if MailText.isAtomByte(byte) && byte != UInt8(ascii: "=") || byte == UInt8(ascii: ".") {
                local.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                local += "=\(String(byte, radix: 16))"
            }
        }
        return "<\(local)@\(sender.domain.lowercased())>"
    }

    /// The message as it is submitted (RFC 5322 and MIME).
    ///
    /// - Parameters:
    ///   - sender: Whom it is from.
    ///   - seconds: Seconds of Unix time, for its date.
    /// - Returns: Lines of ASCII, each with its end.
    /// - Throws: ``MailError`` where the message cannot be sent.
    package func bytes(from sender: MailAddress, at seconds: Int64) throws(MailError) -> [UInt8] {
        if let fault { throw MailError(.invalidMessage, fault) }
        let from = try fromName.map { name throws(MailError) in try sender.named(name) } ?? sender
        var header = "Date: \(MailDate.format(seconds))\r\n"
        header += HeaderField.addresses("From", [from])
        if !replyTo.isEmpty { header += HeaderField.addresses("Reply-To", replyTo) }
        header += HeaderField.addresses("To", to)
        if !cc.isEmpty { header += HeaderField.addresses("Cc", cc) }
        header += HeaderField.text("Subject", subject)
        header += "Message-ID: \(id(from: sender))\r\n"
        // RFC 3834: nobody's absence is announced to a program.
        header += "Auto-Submitted: auto-generated\r\n"
        header += "MIME-Version: 1.0\r\n"
        return Array(header.utf8) + body
    }

    /// The fields of the content, and the content.
    private var body: [UInt8] {
        switch (text, html) {
        case (let text?, let html?):
            // "=_" cannot occur in either encoding (RFC 2045, section 6.7).
            let boundary = "=_batuta_alternative"
            let opening = Array("--\(boundary)\r\n".utf8)
            return Array("Content-Type: multipart/alternative; boundary=\"\(boundary)\"\r\n\r\n".utf8)
                + opening + Self.part("plain", text) + opening + Self.part("html", html)
                + Array("--\(boundary)--\r\n".utf8)
        case (let text?, nil): return Self.part("plain", text)
        case (nil, let html): return Self.part("html", html ?? "")
        }
    }

    private static func part(_ subtype: String, _ text: String) -> [UInt8] {
        let encoding = BodyEncoding(text)
        let fields = """
            Content-Type: text/\(subtype); charset=utf-8\r
            Content-Transfer-Encoding: \(encoding.name)\r
            \r

            """
        return Array(fields.utf8) + encoding.bytes
    }
}
