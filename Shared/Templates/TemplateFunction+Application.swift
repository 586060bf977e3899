import Crypto
import JSON

extension TemplateFunction {
    /// Applies the function.
    ///
    /// - Parameters:
    ///   - input: What stands before it.
    ///   - arguments: As many as it has parameters.
    ///   - allowance: What it may cost.
    /// - Returns: Its value; `missing` where a list has no such element.
    /// - Throws: What it does not take, or does not find in the allowance.
    func apply(
        to input: TemplateValue,
        _ arguments: [TemplateValue],
        _ allowance: inout TemplateAllowance
    ) throws(TemplateFailure) -> TemplateValue {
        if self == .default { return input.isAbsent ? arguments.first ?? .missing : input }
        guard let kind = input.kind else { throw TemplateFailure(.missingValue, "\(rawValue) is given no value.") }
        guard accepts.contains(TemplateKinds(kind)) else { throw refusal(of: kind.withArticle) }
        var texts: [String] = []
        for (position, argument) in arguments.enumerated() {
            guard let text = argument.string else {
                throw refusal(ofArgument: position, argument.kind?.withArticle ?? "a missing value")
            }
            try allowance.charge(text.utf8.count)
            texts.append(text)
        }
        try allowance.charge(input.size)
        let output = try value(for: input, texts.first ?? "", texts.last ?? "", allowance)
        try allowance.check(size: output.size)
        try allowance.charge(output.size)
        return output
    }

    private func value(
        for input: TemplateValue,
        _ first: String,
        _ last: String,
        _ allowance: TemplateAllowance
    ) throws(TemplateFailure) -> TemplateValue {
        let text = input.string ?? ""
        switch self {
        case .default: return input
        case .upper: return .text(text.uppercased())
        case .lower: return .text(text.lowercased())
        case .trim: return .text(TextFunctions.trimmed(text))
        case .length: return .number(JSONNumber(Self.length(of: input)))
        case .join: return .text(try Self.joined(input, separator: first, allowance))
        case .split: return .texts(try TextFunctions.split(text, by: first))
        case .first: return Self.element(of: input, isFirst: true)
        case .last: return Self.element(of: input, isFirst: false)
        case .replace: return .text(try TextFunctions.replacing(first, with: last, in: text, allowance))
        case .json: return .text(input.compactJSON)
        case .parseJSON: return try Self.parsed(text, allowance.maximumBytes)
        case .string: return .text(input.plainText)
        case .number: return try Self.number(from: input, text)
        case .base64: return .text(TextFunctions.base64(text))
        case .sha256: return .text(TextFunctions.hexadecimal(SHA256.hash(data: Array(text.utf8))))
        case .urlEncode: return .text(TextFunctions.percentEncoded(text))
        }
    }

    private static func length(of input: TemplateValue) -> Int {
        switch input {
        case .texts(let texts): texts.count
        case .json(let view): view.stringValue?.unicodeScalars.count ?? view.count
        case .text(let text): text.unicodeScalars.count
        case .missing, .null, .bool, .number: 0
        }
    }

    private static func element(of input: TemplateValue, isFirst: Bool) -> TemplateValue {
        switch input {
        case .texts(let texts): (isFirst ? texts.first : texts.last).map { .text($0) } ?? .missing
        case .json(let view): view.element(at: isFirst ? 0 : view.count - 1).map { .json($0) } ?? .missing
        case .missing, .null, .bool, .number, .text: .missing
        }
    }

    private static func joined(
        _ input: TemplateValue,
        separator: String,
        _ allowance: TemplateAllowance
    ) throws(TemplateFailure) -> String {
        var joined = ""
        var isFirst = true
        func append(_ text: String) throws(TemplateFailure) {
            if !isFirst { joined += separator }
            isFirst = false
            joined += text
            try allowance.check(size: joined.utf8.count)
        }
        switch input {
        case .texts(let texts):
            for text in texts { try append(text) }
        case .json(let view):
            for element in view.elements { try append(TemplateValue.json(element).plainText) }
        case .missing, .null, .bool, .number, .text: break
        }
        return joined
    }

    private static func parsed(_ text: String, _ maximumBytes: Int) throws(TemplateFailure) -> TemplateValue {
        do throws(JSONParsingError) {
            let limits = JSONLimits(maximumBytes: maximumBytes)
            return .json(try JSONDocument(parsing: text, limits: limits).root)
        } catch {
            // The parser's own sentence may repeat bytes of the text.
            let place = "\(error.code) at byte \(error.offset)"
            throw TemplateFailure(.invalidJSON, "parse_json takes JSON, and the text is none: \(place).")
        }
    }

    private static func number(from input: TemplateValue, _ text: String) throws(TemplateFailure) -> TemplateValue {
        guard input.kind == .string else { return input }
        guard let number = JSONNumber(text) else {
            throw TemplateFailure(.invalidNumber, "number takes a number as JSON writes it, such as 12 or -0.5.")
        }
        return .number(number)
    }
}
