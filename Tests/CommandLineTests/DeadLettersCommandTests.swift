import ArgumentParser
import JSON
import Testing

@testable import CommandLineCore

@Suite struct DeadLettersCommandTests {
    @Test func aLetterIsNamedByServiceAndID() throws {
        #expect(try DeadLetterName("engine/1a-2", service: nil).path == "/admin/api/dead-letters/engine/1a-2")
        #expect(try DeadLetterName("1a-2", service: "audit").text == "audit/1a-2")
        #expect(try DeadLetterName("audit/1a", service: "audit").text == "audit/1a")
    }

    @Test(arguments: [
        ("1a", nil), ("engine/1a", "audit"), ("a/b/c", nil), ("engine/", nil), ("", "engine"), ("../x", nil),
    ])
    func refusesWhatIsNoName(_ text: String, _ service: String?) {
        #expect(throws: ValidationError.self) { try DeadLetterName(text, service: service) }
    }

    @Test(arguments: [
        ["redrive"], ["redrive", "--all"], ["redrive", "--all", "--service", "engine", "engine/1"],
        ["redrive", "1a"], ["discard", "engine/1"], ["discard", "--reason", "", "engine/1"],
        ["discard", "--reason", "x"],
        ["list", "--limit", "0"], ["show"],
    ])
    func refusesArgumentsThatDoNotDo(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try BatutaCommand.parseAsRoot(["dead-letters"] + arguments) }
    }

    @Test func aLineNamesTheLetter() {
        let letter: JSONValue = [
            "id": "1a", "service": "engine", "received_at": "2026-11-21T01:29:15.123456Z",
            "message_type": nil, "reason": "first\nsecond",
        ]
        #expect(DeadLettersListCommand.line(letter) == "engine/1a  2026-11-21T01:29:15.123456Z  -  first")
    }

    @Test func aRefusalIsASentence() {
        let problem: JSONValue = ["detail": "It is refused.", "code": "not_processable"]
        #expect(GatewayClient.refusal(422, problem).message == "It is refused. (422, not_processable)")
        #expect(GatewayClient.refusal(422, problem).exitCode == 1)
        #expect(GatewayClient.refusal(503, nil).exitCode == 75)
    }
}
