import Domain
import Testing

@Suite struct DurationTextTests {
    @Test(
        "a duration is written in the largest unit that divides it, and read back",
        arguments: [
            (Duration.zero, "0ms"), (.milliseconds(1), "1ms"), (.milliseconds(1_500), "1500ms"), (.seconds(30), "30s"),
            (.seconds(90), "90s"), (.seconds(120), "2m"), (.seconds(7_200), "2h"), (.seconds(86_400 * 366), "366d"),
        ]
    )
    func roundTrip(duration: Duration, text: String) {
        #expect(duration.text == text)
        #expect(Duration(text: text) == duration)
    }
}
