import JSON
import TestSupport

/// Random patterns and events over few names and values, so that they often meet.
enum RandomPattern {
    private static let names = ["a", "b", "c", "a-b", "a.b"]
    private static let texts = [
        "", "a", "ab", "abc", "AB", "b", "ba", "10.0.0.1", "10.0.1.255", "::ffff:a00:1", "a00::", "::",
    ]
    private static let numbers = ["0", "-0.0", "1", "1.0", "2", "10e-1", "-3.5", "100"]
    private static let wildcards = ["*", "a*", "*b", "a*b", "*a*", "a*b*c", "ab", "\\\\*"]
    private static let ranges = [
        "10.0.0.0/8", "10.0.0.0/24", "10.0.1.4/30", "a00::/16", "::/0", "0.0.0.0/1", "a00::/8",
    ]

    /// The text of a pattern.
    static func pattern(using random: inout SeededGenerator, depth: Int = 3) -> String {
        object(using: &random, depth: depth)
    }

    /// The text of an event.
    static func event(using random: inout SeededGenerator) -> String {
        let members = chosenNames(3...5, using: &random).map { #""\#($0)": \#(value(using: &random, depth: 3))"# }
        return "{\(members.joined(separator: ","))}"
    }

    private static func chosenNames(_ counts: ClosedRange<Int>, using random: inout SeededGenerator) -> [String] {
        Array(names.shuffled(using: &random).prefix(Int.random(in: counts, using: &random)))
    }

    private static func object(using random: inout SeededGenerator, depth: Int) -> String {
        var members = chosenNames(1...2, using: &random).map { name in
            let isList = depth == 0 || Int.random(in: 0..<3, using: &random) > 0
            return #""\#(name)": \#(isList ? list(using: &random) : object(using: &random, depth: depth - 1))"#
        }
        if depth > 0, Int.random(in: 0..<5, using: &random) == 0 {
            let count = Int.random(in: 2...3, using: &random)
            let forks = (0..<count).map { _ in object(using: &random, depth: depth - 1) }
            members.insert(
                #""$or": [\#(forks.joined(separator: ","))]"#,
                at: Int.random(in: 0...members.count, using: &random)
            )
        }
        return "{\(members.joined(separator: ","))}"
    }

    private static func list(using random: inout SeededGenerator) -> String {
        let count = Int.random(in: 1...3, using: &random)
        return "[\((0..<count).map { _ in element(using: &random) }.joined(separator: ","))]"
    }

    private static func element(using random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<5: return scalar(using: &random)
        case 5: return #"{"exists":\#(Bool.random(using: &random))}"#
        case 6: return #"{"prefix":\#(text(using: &random))}"#
        case 7: return #"{"suffix":\#(text(using: &random))}"#
        case 8: return #"{"equals-ignore-case":\#(text(using: &random))}"#
        case 9: return #"{"\#(affix(using: &random))":{"equals-ignore-case":\#(text(using: &random))}}"#
        case 10: return #"{"wildcard":"\#(pick(wildcards, using: &random))"}"#
        case 11, 12: return #"{"numeric":\#(numeric(using: &random))}"#
        case 13: return #"{"cidr":"\#(pick(ranges, using: &random))"}"#
        default: return #"{"anything-but":\#(anythingBut(using: &random))}"#
        }
    }

    private static func anythingBut(using random: inout SeededGenerator) -> String {
        let texts = "[\(text(using: &random)),\(text(using: &random))]"
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return text(using: &random)
        case 1: return texts
        case 2: return "[\(pick(numbers, using: &random)),\(pick(numbers, using: &random))]"
        case 3: return #"{"equals-ignore-case":\#(texts)}"#
        case 4: return #"{"wildcard":["\#(pick(wildcards, using: &random))","\#(pick(wildcards, using: &random))"]}"#
        default: return #"{"\#(affix(using: &random))":["a\#(pick(["", "b"], using: &random))"]}"#
        }
    }

    private static func affix(using random: inout SeededGenerator) -> String {
        Bool.random(using: &random) ? "prefix" : "suffix"
    }

    private static func numeric(using random: inout SeededGenerator) -> String {
        let number = Int.random(in: -2...3, using: &random)
        guard Bool.random(using: &random) else {
            return #"["\#(pick(["=", "<", "<=", ">", ">="], using: &random))",\#(number)]"#
        }
        let top = number + Int.random(in: 1...4, using: &random)
        return #"["\#(pick([">", ">="], using: &random))",\#(number),"\#(pick(["<", "<="], using: &random))",\#(top)]"#
    }

    private static func value(using random: inout SeededGenerator, depth: Int) -> String {
        switch depth == 0 ? 0 : Int.random(in: 0..<10, using: &random) {
        case 0..<4: return scalar(using: &random)
        case 4..<7:
            let count = Int.random(in: 0...3, using: &random)
            return "[\((0..<count).map { _ in value(using: &random, depth: depth - 1) }.joined(separator: ","))]"
        default:
            let members = chosenNames(2...5, using: &random).map { name in
                #""\#(name)": \#(value(using: &random, depth: depth - 1))"#
            }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private static func scalar(using random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return pick(["null", "true", "false"], using: &random)
        case 1..<4: return pick(numbers, using: &random)
        default: return text(using: &random)
        }
    }

    private static func text(using random: inout SeededGenerator) -> String { #""\#(pick(texts, using: &random))""# }

    private static func pick(_ values: [String], using random: inout SeededGenerator) -> String {
        values.randomElement(using: &random) ?? ""
    }
}
