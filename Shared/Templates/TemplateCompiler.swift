import JSON

/// Walks a value once, gathering what is constant, what is not, and what is wrong.
struct TemplateCompiler {
    private(set) var literals: [UInt8] = []
    private(set) var parts: [Template.Part] = []
    private(set) var references: [TemplateReference] = []
    private(set) var secrets: [TemplateSecretReference] = []
    private(set) var faults: [TemplateFault] = []

    private let base: JSONPointer
    private let limits: TemplateLimits

    /// Evaluates what is constant; one allowance serves all of it.
    private var evaluator: TemplateEvaluator

    /// The way from the base to the value that is being compiled.
    private var path: [Token] = []
    private var expressionCount = 0

    /// Where the literals begin that are in no part yet.
    private var pendingFrom = 0

    private enum Token {
        case name(String)
        case index(Int)
    }

    init(at base: JSONPointer, limits: TemplateLimits) {
        self.base = base
        self.limits = limits
        evaluator = TemplateEvaluator(context: nil, limits: limits)
    }

    /// Compiles a value; recursive, as deep as the limit allows.
    mutating func compile(_ view: JSONView) {
        guard !isFull else { return }
        switch view.kind {
        case .null, .bool, .number: append(view.rawBytes)
        case .string: compileString(view)
        case .array: compileArray(view)
        case .object: compileObject(view)
        }
    }

    /// Closes the last part.
    mutating func finish() {
        closeLiteral()
        guard literals.count > limits.maximumBytes, !isFull else { return }
        add(.tooLarge, column: nil, "The template without its expressions has more than \(limits.maximumBytes) bytes.")
    }

    private var isFull: Bool { faults.count >= TemplateFaults.maximumCount }

    private mutating func compileArray(_ view: JSONView) {
        guard checkDepth() else { return }
        literals.append(UInt8(ascii: "["))
        for (index, element) in view.elements.enumerated() {
            if index > 0 { literals.append(UInt8(ascii: ",")) }
            path.append(.index(index))
            compile(element)
            path.removeLast()
        }
        literals.append(UInt8(ascii: "]"))
    }

    private mutating func compileObject(_ view: JSONView) {
        guard checkDepth() else { return }
        literals.append(UInt8(ascii: "{"))
        for (index, member) in view.members.enumerated() {
            if index > 0 { literals.append(UInt8(ascii: ",")) }
            append(member.keyView.rawBytes)
            literals.append(UInt8(ascii: ":"))
            path.append(.name(member.key))
            compile(member.value)
            path.removeLast()
        }
        literals.append(UInt8(ascii: "}"))
    }

    private mutating func checkDepth() -> Bool {
        guard path.count < limits.maximumDepth else {
            add(.tooDeep, column: nil, "A template has at most \(limits.maximumDepth) levels.")
            return false
        }
        return true
    }

    // MARK: - Strings

    private mutating func compileString(_ view: JSONView) {
        let text = view.withStringUTF8 { text in Self.opening(in: text, from: 0) == nil ? nil : Array(text) } ?? nil
        guard let text else { return append(view.rawBytes) }
        var scan = StringScan(text: text)
        var isWhole = false
        let literalStart = literals.count
        literals.append(UInt8(ascii: "\""))
        while let start = text.withUnsafeBufferPointer({ Self.opening(in: $0, from: scan.at) }), !isFull {
            append(text: text[scan.at..<start])
            guard let expression = parse(from: start, &scan) else { continue }
            isWhole = start == 0 && scan.at == text.count
            if isWhole { literals.removeSubrange(literalStart...) }
            append(expression, isWhole: isWhole)
        }
        guard !isWhole else { return }
        append(text: text[min(scan.at, text.count)...])
        literals.append(UInt8(ascii: "\""))
    }

    /// How far a string has been read.
    private struct StringScan {
        let text: [UInt8]
        var at = 0

        /// A place whose column is known, so that finding all columns takes one pass.
        private var known = (offset: 0, column: 1)

        init(text: [UInt8]) { self.text = text }

        mutating func column(of offset: Int) -> Int {
            known.column += text[known.offset..<offset].count { $0 & 0xC0 != 0x80 }
            known.offset = offset
            return known.column
        }
    }

    /// Reads the expression whose braces open at a place; nil where it is faulty.
    private mutating func parse(from start: Int, _ scan: inout StringScan) -> TemplateExpression? {
        let column = scan.column(of: start)
        expressionCount += 1
        guard expressionCount <= limits.maximumExpressions else {
            // One such fault says it all.
            if expressionCount == limits.maximumExpressions + 1 {
                let message = "A template has at most \(limits.maximumExpressions) expressions."
                add(.tooManyExpressions, column: column, message)
            }
            scan.at = scan.text.count
            return nil
        }
        var parser = ExpressionParser(scan.text, from: start, column: column, limits: limits)
        do throws(ExpressionParser.Fault) {
            let body = try parser.parse()
            scan.at = parser.at
            return TemplateExpression(
                text: parser.text,
                pointer: pointer,
                column: column,
                depth: path.count,
                body: body
            )
        } catch {
            add(error.code, column: parser.column(of: error.offset), error.message)
            scan.at = Self.closing(in: scan.text, from: max(error.offset, start + 2))
            return nil
        }
    }

    private static func opening(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var at = start + 1
        while at < text.count {
            if text[at] != UInt8(ascii: "{") {
                at += 2
            } else if text[at - 1] == UInt8(ascii: "{") {
                return at - 1
            } else {
                at += 1
            }
        }
        return nil
    }

    /// The offset behind the next closing braces, or the text's length.
    private static func closing(in text: [UInt8], from start: Int) -> Int {
        var at = start
        while at + 1 < text.count {
            if text[at] == UInt8(ascii: "}"), text[at + 1] == UInt8(ascii: "}") { return at + 2 }
            at += 1
        }
        return text.count
    }

    // MARK: - Parts

    private mutating func append(_ expression: TemplateExpression, isWhole: Bool) {
        guard !expression.isConstant else { return appendConstant(expression, isWhole: isWhole) }
        closeLiteral()
        parts.append(isWhole ? .value(expression) : .text(expression))
        references += expression.paths.map {
            TemplateReference(pointer: expression.pointer, column: $0.column, tokens: $0.tokens)
        }
        if case .secret(let name) = expression.body {
            secrets.append(TemplateSecretReference(name: name, pointer: expression.pointer, column: expression.column))
        }
    }

    private mutating func appendConstant(_ expression: TemplateExpression, isWhole: Bool) {
        do throws(TemplateFailure) {
            if isWhole {
                try evaluator.wholeValue(of: expression).append(to: &literals)
            } else {
                try evaluator.value(of: expression).append(escapedTextTo: &literals)
            }
        } catch {
            add(TemplateFault.Code(rawValue: error.code.rawValue), column: expression.column, error.message)
        }
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBufferPointer { literals.append(contentsOf: $0) }
    }

    private mutating func append(text: ArraySlice<UInt8>) {
        guard !text.isEmpty else { return }
        JSONBytes.append(escaped: String(decoding: text, as: UTF8.self), to: &literals)
    }

    private mutating func closeLiteral() {
        guard pendingFrom < literals.count else { return }
        parts.append(.literal(pendingFrom..<literals.count))
        pendingFrom = literals.count
    }

    // MARK: - Faults

    private var pointer: JSONPointer {
        path.reduce(base) { pointer, token in
            switch token {
            case .name(let name): pointer.appending(name)
            case .index(let index): pointer.appending(index)
            }
        }
    }

    private mutating func add(_ code: TemplateFault.Code, column: Int?, _ message: String) {
        guard !isFull else { return }
        faults.append(TemplateFault(code, at: pointer, column: column, message))
    }
}
