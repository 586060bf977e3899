import JSON

/// Evaluates expressions that are no secrets.
struct TemplateEvaluator {
    /// What paths read; nil where there are none.
    let context: TemplateContext?

    let maximumDepth: Int

    private var allowance: TemplateAllowance

    init(context: TemplateContext?, limits: TemplateLimits) {
        self.context = context
        maximumDepth = limits.maximumDepth
        allowance = TemplateAllowance(maximumBytes: limits.maximumBytes)
    }

    /// Where a value comes from, to explain that there is none.
    private enum Origin {
        case operand(TemplateExpression.Operand)
        case function(TemplateFunction)
    }

    /// The value of an expression; never `missing`.
    mutating func value(of expression: TemplateExpression) throws(TemplateFailure) -> TemplateValue {
        guard case .chain(let operand, let calls) = expression.body else { return .missing }
        var value = try value(of: operand)
        var origin = Origin.operand(operand)
        for call in calls {
            var arguments: [TemplateValue] = []
            for argument in call.arguments {
                let value = try self.value(of: argument)
                guard value.kind != nil || call.function == .default else { throw missing(.operand(argument)) }
                arguments.append(value)
            }
            guard value.kind != nil || call.function == .default else { throw missing(origin) }
            value = try call.function.apply(to: value, arguments, &allowance)
            if call.function == .default, let argument = call.arguments.first {
                origin = .operand(argument)
            } else {
                origin = .function(call.function)
            }
        }
        guard value.kind != nil else { throw missing(origin) }
        try allowance.check(size: value.size)
        return value
    }

    /// The value of an expression that is all of its string; it may not make what comes out too deep.
    mutating func wholeValue(of expression: TemplateExpression) throws(TemplateFailure) -> TemplateValue {
        let value = try value(of: expression)
        guard expression.depth + value.depth(ifOver: maximumDepth - expression.depth) <= maximumDepth else {
            throw TemplateFailure(.tooDeep, "What comes out would have more than \(maximumDepth) levels.")
        }
        return value
    }

    private mutating func value(of operand: TemplateExpression.Operand) throws(TemplateFailure) -> TemplateValue {
        switch operand {
        case .literal(let value): return value
        case .path(let path):
            guard let context else { return .missing }
            return try path.value(in: context, &allowance)
        }
    }

    private func missing(_ origin: Origin) -> TemplateFailure {
        switch origin {
        case .operand(.path(let path)):
            TemplateFailure(.missingValue, context.map { path.explanation(in: $0) } ?? "There is no value.")
        case .operand(.literal): TemplateFailure(.missingValue, "There is no value.")
        case .function(let function):
            TemplateFailure(.missingValue, "\(function.rawValue) has no value for an empty array.")
        }
    }
}
