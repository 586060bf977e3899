import CCurl
import Testing

@testable import Mail

@Suite("What is known of a submission") struct TranscriptTests {
    @Test("what is sent is kept as its verb, so no password is")
    func verbs() {
        var transcript = SubmissionTranscript()
        for (line, verb) in [
            ("EHLO me\r\n", "EHLO"), ("AUTH PLAIN\r\n", "AUTH"), ("AGdlaGVpbQ==\r\n", "AUTH"),
            ("mail FROM:<a@b>", "MAIL"),
            ("", "AUTH"), (" ", "AUTH"), (String(repeating: "x", count: 1_000), "AUTH"), ("DATA\r\n", "DATA"),
        ] {
            transcript.commandSent(line.utf8)
            #expect(transcript.command == verb)
        }
    }

    @Test("a reply is one of the last command, however many lines it has")
    func replies() {
        var transcript = SubmissionTranscript()
        transcript.lineReceived("250-One\r\n".utf8)
        #expect(transcript.reply == nil)
        transcript.lineReceived("250 Two\u{7}\r\n".utf8)
        #expect(transcript.reply?.description == "250 One Two")
        transcript.commandSent("RCPT TO:<a@b>\r\n".utf8)
        #expect(transcript.reply == nil && transcript.recipientCount == 1)
        for line in ["", "25", "abc", "2\u{e9}0 x"] { transcript.lineReceived(line.utf8) }
        #expect(transcript.reply == nil)
        transcript.lineReceived("550\r\n".utf8)
        #expect(transcript.reply?.status == 550 && transcript.reply?.text == "")
        for _ in 0..<100 { transcript.lineReceived("550-\(String(repeating: "x", count: 100))\r\n".utf8) }
        transcript.lineReceived("550 end\r\n".utf8)
        #expect(transcript.reply.map { $0.text.utf8.count < 700 } == true)
    }

    @Test("the farewell after a refusal does not hide it")
    func farewell() {
        var transcript = SubmissionTranscript()
        transcript.commandSent("MAIL FROM:<a@b>\r\n".utf8)
        transcript.lineReceived("550 No\r\n".utf8)
        transcript.commandSent("QUIT\r\n".utf8)
        transcript.lineReceived("221 Farewell\r\n".utf8)
        #expect(transcript.command == "MAIL" && transcript.reply?.status == 550)
    }

    @Test("only a reply after the last byte is one to the message, and only the first")
    func verdict() {
        var transcript = SubmissionTranscript()
        transcript.commandSent("DATA\r\n".utf8)
        transcript.lineReceived("354 Go on\r\n".utf8)
        #expect(transcript.verdict == nil && transcript.outcome == .notSent)
        transcript.messageHandedOver()
        #expect(transcript.reply == nil && transcript.outcome == .unknown)
        transcript.lineReceived("451 Later\r\n".utf8)
        transcript.commandSent("QUIT\r\n".utf8)
        transcript.lineReceived("221 Farewell\r\n".utf8)
        #expect(transcript.verdict?.status == 451)
    }

    @Test("without a reply the message may have been sent once its last byte was given away, and not before")
    func withoutReply() throws {
        let relay = try SubmissionTests.relay("smtp://r")
        var transcript = SubmissionTranscript()
        transcript.commandSent("DATA\r\n".utf8)
        transcript.lineReceived("354 Go on\r\n".utf8)
        for outcome in [MailError.Outcome.notSent, .unknown] {
            for (code, kind) in [
                (CURLE_OPERATION_TIMEDOUT, MailError.Code.timedOut), (CURLE_RECV_ERROR, .connectionLost),
                (CURLE_SEND_ERROR, .connectionLost), (CURLE_GOT_NOTHING, .connectionLost),
            ] {
                let error = MailError(code, "", transcript, relay: relay, recipients: ["a@b.org"])
                #expect(error.code == kind && error.outcome == outcome && error.isRetryable)
            }
            transcript.messageHandedOver()
        }
    }
}
