package import JSON

/// A step's input, compiled: a JSON value whose strings may hold `{{ expression }}`.
///
/// The language has no loops, no definitions and no nesting, so every template ends; what it costs is bounded by
/// ``TemplateLimits``. It is described in `docs/templates.md`. Compile once for each version of an automation.
package struct Template: Sendable {
    /// Everything that does not depend on a context, in the order of the output.
    let literals: [UInt8]

    /// What is written one after another.
    let parts: [Part]

    let limits: TemplateLimits

    /// The paths that it reads, in the order of the value.
    package let references: [TemplateReference]

    /// The secrets that it uses, in the order of the value.
    package let secrets: [TemplateSecretReference]

    /// A piece of the output.
    enum Part: Sendable {
        /// A range of ``Template/literals``.
        case literal(Range<Int>)
        /// The value of an expression that is all of its string.
        case value(TemplateExpression)
        /// The text of an expression within a string.
        case text(TemplateExpression)
    }

    /// Compiles a value.
    ///
    /// - Parameters:
    ///   - view: The value; names of members are taken as they are, `{{` in them included.
    ///   - pointer: Where the value stands in its document; all pointers begin with it.
    ///   - limits: What the template may cost.
    /// - Throws: Every fault of the template, the first 64 at most. References are only read here; see
    ///   ``check(steps:)``.
    package init(
        compiling view: JSONView,
        at pointer: JSONPointer = .root,
        limits: TemplateLimits = .standard
    ) throws(TemplateFaults) {
        var compiler = TemplateCompiler(at: pointer, limits: limits)
        compiler.compile(view)
        compiler.finish()
        guard compiler.faults.isEmpty else { throw TemplateFaults(compiler.faults) }
        self.limits = limits
        literals = compiler.literals
        parts = compiler.parts
        references = compiler.references
        secrets = compiler.secrets
    }

    /// The names of the secrets that it uses.
    package var secretNames: Set<String> { Set(secrets.map(\.name)) }

    /// Whether it has the same value in every context, ready since it was compiled.
    package var isConstant: Bool { references.isEmpty && secrets.isEmpty }

    /// The value in every context, where it is the same in all.
    package var constant: [UInt8]? { isConstant ? literals : nil }

    /// The value of the template in a context.
    ///
    /// - Parameters:
    ///   - context: What its paths read.
    ///   - secrets: The texts of the secrets it uses, by name.
    /// - Returns: JSON within the limits, and the same without the secrets.
    /// - Throws: The first error, in the order of the template.
    package func resolve(
        in context: TemplateContext,
        secrets: [String: String] = [:]
    ) throws(TemplateError) -> ResolvedInput {
        guard !isConstant else { return ResolvedInput(value: literals, redacted: literals) }
        var resolver = TemplateResolver(self, in: context, secrets: secrets)
        return try resolver.resolve()
    }
}
