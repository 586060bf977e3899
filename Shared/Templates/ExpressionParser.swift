import JSON

/// Reads one expression, without recursion: the language nests nothing.
struct ExpressionParser {
    typealias Expression = TemplateExpression

    /// The whole string that holds the expression.
    let bytes: [UInt8]

    /// Where the braces were opened.
    let start: Int

    /// The column of the opening braces, in Unicode code points from 1.
    let startColumn: Int

    let limits: TemplateLimits

    /// Where reading goes on.
    var at: Int

    /// Where reading ends: at the string's end, or where the expression is too long.
    let end: Int

    /// What is wrong, and with which byte of the string.
    struct Fault: Error {
        let code: TemplateFault.Code
        let offset: Int
        let message: String

        init(_ code: TemplateFault.Code, _ offset: Int, _ message: String) {
            self.code = code
            self.offset = offset
            self.message = message
        }
    }

    /// Prepares to read.
    ///
    /// - Parameters:
    ///   - bytes: A string with `{{` at `start`.
    ///   - start: The offset of the opening braces.
    ///   - startColumn: Their column.
    ///   - limits: What the expression may cost.
    init(_ bytes: [UInt8], from start: Int, column startColumn: Int, limits: TemplateLimits) {
        self.bytes = bytes
        self.start = start
        self.startColumn = startColumn
        self.limits = limits
        at = start + 2
        end = min(bytes.count, at + limits.maximumExpressionBytes + 2)
    }

    /// Reads up to and including the closing braces.
    mutating func parse() throws(Fault) -> Expression.Body {
        skipWhitespace()
        if skip("}}") { throw Fault(.emptyExpression, start, "Nothing stands between {{ and }}.") }
        if let name = try parseSecret() { return .secret(name) }
        let operand = try parseOperand()
        var kinds = operand.kinds
        var calls: [Expression.Call] = []
        while true {
            skipWhitespace()
            if skip("}}") { return .chain(operand, calls) }
            guard skip("|") else { throw unexpected("| or }}") }
            guard calls.count < limits.maximumFunctions else {
                throw Fault(.tooLong, at, "An expression has at most \(limits.maximumFunctions) functions.")
            }
            calls.append(try parseCall(on: &kinds))
        }
    }

    /// The expression's text once it was read.
    var text: String {
        let inside = bytes[start + 2..<max(at - 2, start + 2)]
        let head = inside.drop(while: ExpressionSyntax.isWhitespace)
        let tail = head.reversed().drop(while: ExpressionSyntax.isWhitespace).count
        return String(decoding: head.prefix(tail), as: UTF8.self)
    }

    /// The column of a byte of the expression.
    func column(of offset: Int) -> Int {
        startColumn + bytes[start..<max(start, min(offset, bytes.count))].count { $0 & 0xC0 != 0x80 }
    }

    // MARK: - Secrets

    private mutating func parseSecret() throws(Fault) -> String? {
        guard skip("secret:") else { return nil }
        let nameStart = at
        while at < end, ExpressionSyntax.isSecretNamePart(bytes[at]) { at += 1 }
        let name = bytes[nameStart..<at]
        guard ExpressionSyntax.isSecretName(name) else {
            throw Fault(
                .invalidSecretName,
                nameStart,
                "A secret's name is a small letter and up to 99 more of a-z, 0-9, _, . and -."
            )
        }
        skipWhitespace()
        guard !isNext("|") else {
            throw Fault(.secretMisused, at, "A secret is put in as it is: no function follows it.")
        }
        guard skip("}}") else { throw unexpected("}}") }
        return String(decoding: name, as: UTF8.self)
    }

    // MARK: - Functions

    private mutating func parseCall(on kinds: inout TemplateKinds) throws(Fault) -> Expression.Call {
        skipWhitespace()
        let nameStart = at
        guard at < end, ExpressionSyntax.isNameStart(bytes[at]) else { throw unexpected("a function's name") }
        let name = parseName()
        guard let function = TemplateFunction(rawValue: name) else {
            let name = ExpressionSyntax.shortened(name)
            let message = "There is no function \(name); there are \(TemplateFunction.names)."
            throw Fault(.unknownFunction, nameStart, message)
        }
        let (arguments, offsets) = try parseArguments()
        guard arguments.count == function.parameters.count else {
            let count = function.parameters.count
            let noun = count == 1 ? "argument" : "arguments"
            let message = "\(name) takes \(count == 0 ? "no" : String(count)) \(noun), not \(arguments.count)."
            throw Fault(.argumentCount, nameStart, message)
        }
        guard !kinds.isDisjoint(with: function.accepts) else {
            throw Fault(.wrongType, nameStart, function.refusal(of: kinds.names).message)
        }
        for (position, argument) in arguments.enumerated()
        where argument.kinds.isDisjoint(with: function.parameters[position]) {
            let message = function.refusal(ofArgument: position, argument.kinds.names).message
            throw Fault(.wrongType, offsets[position], message)
        }
        if case .literal(let value)? = arguments.first, let text = value.string {
            try checkSearch(for: text, by: function, at: offsets.first ?? nameStart)
        }
        kinds = function.gives(for: kinds, arguments)
        return Expression.Call(function: function, arguments: arguments)
    }

    /// Refuses a search for nothing where it is known before anything is resolved.
    private func checkSearch(for text: String, by function: TemplateFunction, at offset: Int) throws(Fault) {
        guard function == .split || function == .replace else { return }
        do throws(TemplateFailure) {
            _ = try TextSearch(text, of: function)
        } catch {
            throw Fault(.invalidArgument, offset, error.message)
        }
    }

    private mutating func parseArguments() throws(Fault) -> ([Expression.Operand], offsets: [Int]) {
        skipWhitespace()
        guard skip("(") else {
            guard at < end else { throw unexpected("| or }}") }
            return ([], [])
        }
        var arguments: [Expression.Operand] = []
        var offsets: [Int] = []
        skipWhitespace()
        if skip(")") { return ([], []) }
        while true {
            skipWhitespace()
            offsets.append(at)
            guard !isNext("secret:") else {
                throw Fault(.secretMisused, at, "A secret cannot be given to a function.")
            }
            arguments.append(try parseOperand())
            skipWhitespace()
            if skip(")") { return (arguments, offsets) }
            guard skip(",") else { throw unexpected(", or )") }
        }
    }

    // MARK: - Characters

    mutating func skipWhitespace() {
        while at < end, ExpressionSyntax.isWhitespace(bytes[at]) { at += 1 }
    }

    func isNext(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            text.count <= end - at && (0..<text.count).allSatisfy { bytes[at + $0] == text[$0] }
        }
    }

    mutating func skip(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    /// Reads a name whose first character is known to be one's.
    mutating func parseName() -> String {
        let nameStart = at
        while at < end, ExpressionSyntax.isNamePart(bytes[at]) { at += 1 }
        return String(decoding: bytes[nameStart..<at], as: UTF8.self)
    }

    /// The fault of what stands where something else must.
    func unexpected(_ expected: String) -> Fault {
        guard at < end, at <= start + 2 + limits.maximumExpressionBytes else {
            return ended(.unclosedExpression, "{{ has no }} after it.", from: start)
        }
        let scalar = String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self).unicodeScalars.first
        let isPrintable = scalar.map { $0.value > 0x20 && $0.value != 0x7F } ?? false
        let found = isPrintable ? scalar.map { String($0) } ?? "" : "A control character"
        return Fault(.unexpectedCharacter, at, "\(found) stands where \(expected) must.")
    }

    /// The fault of a string that ends too early, or of an expression that is too long.
    func ended(_ code: TemplateFault.Code, _ message: String, from offset: Int) -> Fault {
        guard bytes.count - start - 2 <= limits.maximumExpressionBytes else {
            return Fault(.tooLong, start, "An expression has at most \(limits.maximumExpressionBytes) bytes.")
        }
        return Fault(code, offset, message)
    }
}
