import Testing

@testable import APIGatewayCore

@Suite struct HeaderTests {
    @Test(arguments: [
        ("*", EntityTag.Condition.any), ("\"3\"", .tags(["3"])), (" \"a\" , \"b\"", .tags(["a", "b"])),
        ("W/\"3\"", .tags([])),
    ])
    func conditions(header: String, condition: EntityTag.Condition) {
        #expect(EntityTag.condition(header) == condition)
    }

    @Test(arguments: ["", "3", "\"3", "\"a\"b\"", "\"a\",", "\"a b\"", "w/\"3\""])
    func wrongConditions(header: String) {
        #expect(EntityTag.condition(header) == nil)
    }

    @Test func entityTagsOfTheEngineCannotBreakAHeader() {
        #expect(EntityTag.header("3-active") == "\"3-active\"")
        #expect(EntityTag.header("a\r\nSet-Cookie: x") == nil)
        #expect(EntityTag.header("a\"b") == nil)
        #expect(EntityTag.header("") == nil)
    }

    @Test(
        arguments: [
            ("abc", "abc"), ("\"abc\"", "abc"), ("\"a\\\"b\"", "a\"b"), (" abc ", "abc"), ("", nil), ("\"\"", nil),
            ("\"a\\nb\"", nil), ("é", nil), (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
            (String(repeating: "k", count: 256), nil),
        ] as [(String, String?)]
    )
    func idempotencyKeys(header: String, key: String?) {
        #expect(IdempotencyKey.value(header) == key)
    }

    @Test(
        arguments: [
            (nil, Language.english), ("es", .spanish), ("es-ES,en;q=0.5", .spanish), ("en, es", .english),
            ("es;q=0.1, en;q=0.2", .english), ("fr, es;q=0.3", .spanish), ("es;q=0", .english), ("*", .english),
            (";;;,,,q=", .english),
        ] as [(String?, Language)]
    )
    func languages(header: String?, language: Language) {
        #expect(Language(acceptLanguage: header) == language)
    }

    @Test func nextPagesKeepTheQuery() throws {
        let query = try #require(Query("status=failed&cursor=old&limit=2&automation_key=a%26b"))
        let page = try PageRequest(query)
        #expect(page.limit == 2)
        #expect(page.cursor == "old")
        let answer = page.answer([], path: "/api/runs", next: "n>; rel=\"x")
        #expect(
            answer.headers.first?.value
                == "</api/runs?status=failed&limit=2&automation_key=a%26b&cursor=n%3E%3B%20rel%3D%22x>; rel=\"next\""
        )
        #expect(page.answer([], path: "/api/runs", next: nil).headers.isEmpty)
    }

    @Test(arguments: ["limit=0", "limit=201", "limit=x", "limit=", "cursor="])
    func wrongPages(text: String) throws {
        let query = try #require(Query(text[...]))
        #expect(throws: GatewayProblem.invalidParameter(String(text.prefix { $0 != "=" }))) { try PageRequest(query) }
    }

    @Test func requestIDs() {
        #expect(RequestID.make(header: "abc-1") == "abc-1")
        for header in [nil, "", "a b", "a\r\nb", String(repeating: "x", count: 129)] {
            #expect(RequestID.make(header: header).count == 36)
        }
    }

    @Test func tokens() throws {
        var generator = SystemRandomNumberGenerator()
        let token = APIToken(using: &generator)
        #expect(token.text.count == 47)
        #expect(try #require(APIToken(authorization: "bearer  \(token.text)")).hash == token.hash)
        #expect(APIToken(using: &generator).hash != token.hash)
        for header in [
            "", "Bearer", "Basic \(token.text)", "Bearer \(token.text)x", "Bearer bat_\(token.text.dropFirst(5))",
        ] {
            #expect(APIToken(authorization: header) == nil, "\(header)")
        }
    }
}
