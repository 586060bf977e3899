import Contracts
import JSON
import Testing

@Suite struct ProblemTests {
    private static let problem = Problem(
        .invalidDefinition,
        "The definition has an \"error\".",
        detailES: "La definición tiene un error.",
        errors: [.init(pointer: "/steps/0/with", code: "missing", detail: "with is missing")]
    )

    @Test func aReplyBodyIsReadAsItWasWritten() {
        let problem = Self.problem
        #expect(Problem(replyBody: problem.replyBody, status: 422) == problem)
    }

    @Test func theDocumentIsThatOfTheRFC() throws {
        let root = try JSONDocument(parsing: Self.problem.document(language: .spanish)).root
        #expect(root["type"]?.stringValue == "urn:batuta:problem:invalid_definition")
        #expect(root["title"]?.stringValue == "Invalid definition")
        #expect(root["status"]?.int64Value == 422)
        #expect(root["detail"]?.stringValue == "La definición tiene un error.")
        #expect(root["code"]?.stringValue == "invalid_definition")
        #expect(root["errors"]?.elements.compactMap { $0["pointer"]?.stringValue } == ["/steps/0/with"])
    }

    @Test(arguments: ProblemCode.allCases)
    func everyCodeHasAStatusAndSentencesOfItsOwn(code: ProblemCode) {
        #expect((400..<600).contains(code.status))
        #expect(code.sentence.hasSuffix(".") && code.spanishSentence.hasSuffix("."))
        #expect(code.sentence != code.spanishSentence)
        #expect(ProblemCode.allCases.count { $0.sentence == code.sentence } == 1)
        #expect(ProblemCode.allCases.count { $0.spanishSentence == code.spanishSentence } == 1)
        #expect(ProblemCode.standing(for: code.status).status == code.status)
        #expect(Problem(replyBody: Problem(code).replyBody, status: code.status) == Problem(code))
    }

    @Test(arguments: ["", "{}", "[]", "nonsense", #"{"code":"of_the_future","detail":"Something new."}"#])
    func aBodyThatIsNoKnownProblemBecomesWhatStandsForTheStatus(body: String) {
        #expect(Problem(replyBody: Array(body.utf8), status: 503).code == .unavailable)
        #expect(Problem(replyBody: Array(body.utf8), status: 599).code == .internalError)
        #expect(Problem(replyBody: Array(body.utf8), status: 418).code == .invalidRequest)
    }
}
