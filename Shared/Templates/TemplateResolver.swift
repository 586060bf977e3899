import JSON

/// Writes what a template comes to, once from left to right.
struct TemplateResolver {
    private let template: Template
    private let secrets: [String: String]
    private var evaluator: TemplateEvaluator
    private var output: [UInt8] = []

    /// The bytes of the literals that are still to come.
    private var literalBytesLeft: Int

    /// Where secrets stand in the output.
    private var hidden: [(range: Range<Int>, replacement: String)] = []

    init(_ template: Template, in context: TemplateContext, secrets: [String: String]) {
        self.template = template
        self.secrets = secrets
        evaluator = TemplateEvaluator(context: context, limits: template.limits)
        literalBytesLeft = template.literals.count
    }

    mutating func resolve() throws(TemplateError) -> ResolvedInput {
        output.reserveCapacity(template.literals.count + 64 * template.parts.count)
        for part in template.parts {
            switch part {
            case .literal(let range):
                template.literals.withUnsafeBufferPointer { output.append(contentsOf: $0[range]) }
                literalBytesLeft -= range.count
            case .value(let expression): try append(expression, isWhole: true)
            case .text(let expression): try append(expression, isWhole: false)
            }
        }
        return ResolvedInput(value: output, redacted: try redacted())
    }

    private mutating func append(_ expression: TemplateExpression, isWhole: Bool) throws(TemplateError) {
        do throws(TemplateFailure) {
            if case .secret(let name) = expression.body {
                try append(secret: name, isWhole: isWhole)
            } else if isWhole {
                try evaluator.wholeValue(of: expression).append(to: &output)
            } else {
                try evaluator.value(of: expression).append(escapedTextTo: &output)
            }
            try check(output.count + literalBytesLeft)
        } catch {
            throw TemplateError(error, at: expression.pointer, expression: expression.text)
        }
    }

    private mutating func append(secret name: String, isWhole: Bool) throws(TemplateFailure) {
        guard let text = secrets[name] else {
            throw TemplateFailure(.missingSecret, "There is no secret \(name).")
        }
        try check(text.utf8.count)
        if isWhole { output.append(UInt8(ascii: "\"")) }
        let start = output.count
        JSONBytes.append(escaped: text, to: &output)
        hidden.append((start..<output.count, "{{ secret:\(name) }}"))
        if isWhole { output.append(UInt8(ascii: "\"")) }
    }

    private func check(_ count: Int) throws(TemplateFailure) {
        guard count <= template.limits.maximumBytes else {
            let message = "What comes out has more than the \(template.limits.maximumBytes) bytes allowed."
            throw TemplateFailure(.tooLarge, message)
        }
    }

    /// The output with its secrets' names for the secrets.
    private func redacted() throws(TemplateError) -> [UInt8] {
        guard !hidden.isEmpty else { return output }
        var redacted: [UInt8] = []
        redacted.reserveCapacity(output.count)
        var plainFrom = 0
        for (range, replacement) in hidden {
            redacted += output[plainFrom..<range.lowerBound]
            redacted += replacement.utf8
            plainFrom = range.upperBound
        }
        redacted += output[plainFrom...]
        do throws(TemplateFailure) {
            try check(redacted.count)
        } catch {
            throw TemplateError(error, at: .root, expression: "")
        }
        return redacted
    }
}
