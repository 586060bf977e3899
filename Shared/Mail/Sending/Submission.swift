import CCurl
import Secrets
import Synchronization

/// One submission of one message: blocking, on a thread that may block.
///
/// Every submission has a connection of its own, so a connection that the relay has given up in the meantime is never
/// taken for one that broke. Whoever waits is told as soon as the relay has answered, not after the farewell.
final class Submission {
    /// What another thread asks of a submission that is under way.
    final class Control: Sendable {
        private let isAbandoned = Atomic(false)

        /// Ends the submission within a second or so.
        func abandon() { isAbandoned.store(true, ordering: .releasing) }

        fileprivate var isEnded: Bool { isAbandoned.load(ordering: .acquiring) }
    }

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    private let relay: MailRelay
    private let recipients: [String]
    private let message: [UInt8]
    private let control: Control
    private let settle: (Result<Void, MailError>) -> Void
    private var offset = 0
    private var transcript = SubmissionTranscript()

    /// - Parameters:
    ///   - relay: Where the message goes.
    ///   - recipients: Who gets it.
    ///   - message: Lines that end with CRLF.
    ///   - control: Ends it early.
    ///   - settle: Told what came of it, once or more; only the first time counts.
    init(
        _ relay: MailRelay,
        recipients: [String],
        message: [UInt8],
        control: Control,
        settle: @escaping (Result<Void, MailError>) -> Void
    ) {
        self.relay = relay
        self.recipients = recipients
        self.message = message
        self.control = control
        self.settle = settle
    }

    /// Submits the message.
    ///
    /// - Parameter patience: How long it may take.
    func run(patience: Duration) {
        ccurl_block_sigpipe()
        guard Self.isReady, let handle = curl_easy_init() else {
            settle(.failure(MailError(.busy, "There is no memory for another connection.")))
            return
        }
        defer { curl_easy_cleanup(handle) }
        var names: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(names) }
        for recipient in recipients { names = curl_slist_append(names, "<\(recipient)>") ?? names }
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { text.deallocate() }
        // The handle lives on while it is cleaned up.
        defer { _ = ccurl_set_error_buffer(handle, nil) }
        withExtendedLifetime(self) {
            let isSet =
                ccurl_set_error_buffer(handle, text) == CURLE_OK && configure(handle, patience)
                && ccurl_set_list(handle, CURLOPT_MAIL_RCPT, names) == CURLE_OK
            guard isSet else {
                settle(.failure(MailRelay.invalid("cannot be used by this libcurl: \(String(cString: text))")))
                return
            }
            let code = curl_easy_perform(handle)
            settle(result(code, String(cString: text)))
        }
    }

    private func result(_ code: CURLcode, _ text: String) -> Result<Void, MailError> {
        if let verdict { return verdict }
        if code == CURLE_OK { return .success(()) }
        if code == CURLE_ABORTED_BY_CALLBACK {
            return .failure(MailError(.cancelled, transcript.outcome, "The submission was ended before its end."))
        }
        return .failure(MailError(code, text, transcript, relay: relay, recipients: recipients))
    }

    private var verdict: Result<Void, MailError>? {
        transcript.verdict.map { reply in
            (200..<300).contains(reply.status)
                ? .success(()) : .failure(MailError(verdict: reply, origin: relay.origin))
        }
    }
}

// MARK: - Options

extension Submission {
    private func configure(_ handle: UnsafeMutableRawPointer, _ patience: Duration) -> Bool {
        let (seconds, attoseconds) = patience.components
        let milliseconds = Int(clamping: seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
        let tls = relay.encryption == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_UPLOAD, 1),
            (CURLOPT_TIMEOUT_MS, max(1, milliseconds)), (CURLOPT_CONNECTTIMEOUT_MS, max(1, min(milliseconds, 10_000))),
            // Of the farewell as well, which is not under the other limits.
            (CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, milliseconds / 1_000)),
            (CURLOPT_FRESH_CONNECT, 1), (CURLOPT_FORBID_REUSE, 1), (CURLOPT_QUICK_EXIT, 1),
            (CURLOPT_USE_SSL, Int(tls.rawValue)), (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2),
        ]
        // No proxy: the environment of a service is none of a relay's settings.
        var texts: [(CURLoption, String)] = [
            (CURLOPT_URL, relay.url), (CURLOPT_PROTOCOLS_STR, "smtp,smtps"), (CURLOPT_PROXY, ""),
            (CURLOPT_MAIL_FROM, "<\(relay.sender.spec)>"),
        ]
        if let user = relay.user {
            // Kerberos and the like would be tried first, for a user that has a password here.
            texts += [(CURLOPT_USERNAME, user), (CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5")]
        }
        let password = relay.password?.withText { ccurl_set_text(handle, CURLOPT_PASSWORD, $0) } ?? CURLE_OK
        return password == CURLE_OK && trust(handle) && setCallbacks(handle)
            && numbers.allSatisfy { ccurl_set_long(handle, $0.0, $0.1) == CURLE_OK }
            && texts.allSatisfy { ccurl_set_text(handle, $0.0, $0.1) == CURLE_OK }
    }

    /// A configured file stands in the place of what the system trusts, not beside it.
    private func trust(_ handle: UnsafeMutableRawPointer) -> Bool {
        guard let file = relay.trustFile else { return true }
        return ccurl_set_text(handle, CURLOPT_CAINFO, file) == CURLE_OK
            && ccurl_set_text(handle, CURLOPT_CAPATH, nil) == CURLE_OK
    }

    private func setCallbacks(_ handle: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return ccurl_set_callbacks(
            handle,
            context,
            { buffer, size, count, context in Submission.of(context)?.read(into: buffer, size * count) ?? 0 },
            { line, size, count, context in Submission.of(context)?.received(line, size * count) ?? 0 },
            { _, kind, data, size, context in
                if kind == CURLINFO_HEADER_OUT { Submission.of(context)?.sent(data, size) }
                return 0
            },
            { context, _, _, _, _ in Submission.of(context)?.control.isEnded == true ? 1 : 0 }
        ) == CURLE_OK
    }
}

// MARK: - What libcurl tells while it submits

extension Submission {
    private static func of(_ context: UnsafeMutableRawPointer?) -> Submission? {
        context.map { Unmanaged<Submission>.fromOpaque($0).takeUnretainedValue() }
    }

    private func read(into buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int) -> Int {
        let count = min(capacity, message.count - offset)
        guard let buffer, count > 0 else { return 0 }
        message.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: buffer, count: count)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
        }
        offset += count
        if offset == message.count { transcript.messageHandedOver() }
        return count
    }

    private func sent(_ data: UnsafeMutablePointer<CChar>?, _ size: Int) {
        transcript.commandSent(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : size))
    }

    private func received(_ line: UnsafeMutablePointer<CChar>?, _ size: Int) -> Int {
        transcript.lineReceived(UnsafeRawBufferPointer(start: line, count: line == nil ? 0 : size))
        if let verdict { settle(verdict) }
        return size
    }
}
