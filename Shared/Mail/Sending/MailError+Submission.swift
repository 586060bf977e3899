import CCurl

extension MailError {
    /// What a submission that libcurl could not bring to its end comes to.
    ///
    /// - Parameters:
    ///   - code: What libcurl says.
    ///   - text: What it says in words; empty where it says nothing.
    ///   - transcript: What has passed.
    ///   - relay: Where it was sent.
    ///   - recipients: Who was to get it, in the order in which they were named.
    init(
        _ code: CURLcode,
        _ text: String,
        _ transcript: SubmissionTranscript,
        relay: MailRelay,
        recipients: [String]
    ) {
        let origin = relay.origin
        let outcome = transcript.outcome
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(.nameNotFound, outcome, "The name of the relay \(origin) has no address.")
        case CURLE_COULDNT_CONNECT:
            self.init(.connectionFailed, outcome, "The relay \(origin) takes no connection.")
        case CURLE_USE_SSL_FAILED where transcript.command != "STARTTLS":
            self.init(.tlsFailed, outcome, "The relay \(origin) does not offer STARTTLS; nothing was sent.")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_USE_SSL_FAILED,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            self.init(.tlsFailed, outcome, "The connection to the relay \(origin) is not safe: \(Self.line(text)).")
        case CURLE_OPERATION_TIMEDOUT:
            self.init(.timedOut, outcome, "The relay \(origin) did not answer in time.")
        default:
            self.init(transcript, origin: origin, recipients: recipients, isLoginDenied: code == CURLE_LOGIN_DENIED)
        }
    }

    /// A refusal, where the last command has one, else a connection that broke.
    private init(_ transcript: SubmissionTranscript, origin: String, recipients: [String], isLoginDenied: Bool) {
        guard let reply = transcript.reply, reply.isRefusal else {
            let message =
                isLoginDenied
                ? "The relay \(origin) offers no way to log in that is known here: PLAIN, LOGIN or CRAM-MD5."
                : "The connection to the relay \(origin) broke."
            self.init(isLoginDenied ? .loginRefused : .connectionLost, transcript.outcome, message)
            return
        }
        switch transcript.command {
        case "AUTH":
            self.init(.loginRefused, .notSent, "The relay \(origin) refused user and password: \(reply)", reply: reply)
        case "RCPT":
            let index = transcript.recipientCount - 1
            let whom = recipients.indices.contains(index) ? recipients[index] : "a recipient"
            self.init(
                .relayRefused,
                .notSent,
                "The relay \(origin) refused \(whom), so nobody gets the message: \(reply)",
                reply: reply
            )
        case "MAIL":
            self.init(.relayRefused, .notSent, "The relay \(origin) refused the sender: \(reply)", reply: reply)
        case "DATA":
            self.init(.relayRefused, .notSent, "The relay \(origin) refused the message: \(reply)", reply: reply)
        default:
            self.init(.relayRefused, .notSent, "The relay \(origin) refused: \(reply)", reply: reply)
        }
    }

    /// The relay's last word on a whole message that it does not take.
    init(verdict: SMTPReply, origin: String) {
        // Neither taken nor refused: a relay that speaks no SMTP may have done anything.
        guard verdict.isRefusal else {
            self.init(.connectionLost, .unknown, "The relay \(origin) gave no answer that SMTP knows: \(verdict)")
            return
        }
        self.init(.relayRefused, .notSent, "The relay \(origin) refused the message: \(verdict)", reply: verdict)
    }

    /// A text of a library without what would break a line.
    private static func line(_ text: String) -> String {
        let line = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
        return line.isEmpty ? "TLS failed" : String(String.UnicodeScalarView(line.prefix(300)))
    }
}
