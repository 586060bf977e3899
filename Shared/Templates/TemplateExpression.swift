import JSON

/// A compiled expression, and where it stands; a class, so that resolving copies one reference and no fields.
final class TemplateExpression: Sendable {
    /// The expression as it was written, without its braces and the white space at its ends.
    let text: String

    /// The string that holds it.
    let pointer: JSONPointer

    /// The column of its `{{`, in Unicode code points from 1.
    let column: Int

    /// The containers around the string.
    let depth: Int

    let body: Body

    init(text: String, pointer: JSONPointer, column: Int, depth: Int, body: Body) {
        self.text = text
        self.pointer = pointer
        self.column = column
        self.depth = depth
        self.body = body
    }

    enum Body: Sendable {
        case secret(String)
        case chain(Operand, [Call])
    }

    /// What a chain of functions begins with, or a function takes.
    enum Operand: Sendable {
        case literal(TemplateValue)
        case path(TemplatePath)

        /// The kinds of JSON value that it may have.
        var kinds: TemplateKinds {
            switch self {
            case .literal(let value): value.kind.map { TemplateKinds($0) } ?? []
            case .path: .any
            }
        }

        var isLiteral: Bool {
            if case .literal = self { true } else { false }
        }
    }

    /// A function and its arguments, as many as it takes.
    struct Call: Sendable {
        let function: TemplateFunction
        let arguments: [Operand]
    }

    /// Whether it reads nothing, so that its value is known.
    var isConstant: Bool {
        guard case .chain(let operand, let calls) = body else { return false }
        return operand.isLiteral && calls.allSatisfy { $0.arguments.allSatisfy(\.isLiteral) }
    }

    /// The paths that it reads, as they were written from left to right.
    var paths: [TemplatePath] {
        guard case .chain(let operand, let calls) = body else { return [] }
        return ([operand] + calls.flatMap(\.arguments)).compactMap {
            if case .path(let path) = $0 { path } else { nil }
        }
    }
}
