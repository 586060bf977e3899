import Secrets
import Testing

@Suite("A secret")
struct SecretTests {
    @Test("gives back its bytes and its text, whatever it was made of")
    func access() {
        #expect(Secret("ñandú").bytes == Array("ñandú".utf8))
        #expect(Secret("ñandú").text == "ñandú")
        #expect(Secret([0, 255, 7]).bytes == [0, 255, 7])
        #expect([1, 2, 3].withUnsafeBytes { Secret($0) }.count == 3 * MemoryLayout<Int>.size)
        #expect(Secret("").bytes.isEmpty && Secret("").text?.isEmpty == true && Secret([]).count == 0)
    }

    @Test("is no text where its bytes are not UTF-8, and the closure is not called")
    func noText() {
        var calls = 0
        let result: Void? = Secret([0x61, 0xFF]).withText { _ in calls += 1 }
        #expect(result == nil && calls == 0)
    }

    @Test("passes on what a closure throws")
    func throwing() {
        struct Fault: Error, Equatable {}
        #expect(throws: Fault()) { try Secret("a").withUnsafeBytes { _ throws(Fault) in throw Fault() } }
        #expect(throws: Fault()) { try Secret("a").withText { _ throws(Fault) in throw Fault() } }
    }

    @Test("equals one with the same bytes and no other")
    func equality() {
        #expect(Secret("abc") == Secret([0x61, 0x62, 0x63]))
        #expect(Secret("") == Secret([]))
        for other in ["abd", "xbc", "ab", "abcd", "", "ABC"] { #expect(Secret("abc") != Secret(other), "\(other)") }
        // Swift's own strings would hold these for equal.
        #expect(Secret("\u{E9}") != Secret("e\u{301}"))
    }

    @Test(
        "has only well-formed names",
        arguments: ["a", "smtp.password", "a-b_c.9", "z" + String(repeating: "0", count: 99)]
    )
    func names(text: String) {
        #expect(SecretName(text)?.text == text)
        #expect(SecretName(text)?.description == text)
    }

    @Test(
        "has no other names",
        arguments: [
            "", "A", "9a", ".a", "-a", "_a", "a b", "a\n", "a/b", "ñ", "añ", "aB", "a\u{0}", "a:", "a\u{301}",
            "z" + String(repeating: "0", count: 100),
        ]
    )
    func noNames(text: String) {
        #expect(SecretName(text) == nil)
    }
}
