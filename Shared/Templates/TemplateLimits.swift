/// What a template may cost; checked when it is compiled and when it is resolved.
package struct TemplateLimits: Sendable, Hashable {
    /// Expressions of one template.
    package let maximumExpressions: Int

    /// Containers within one another, of the template and of what it resolves to; a scalar has depth 0, `[]` depth 1.
    package let maximumDepth: Int

    /// Bytes of UTF-8 between an expression's braces, its literals included.
    package let maximumExpressionBytes: Int

    /// Names and indexes of one path, its root included.
    package let maximumPathLength: Int

    /// Functions of one expression.
    package let maximumFunctions: Int

    /// Bytes of the template without its expressions, of what it resolves to, and of every value on the way.
    package let maximumBytes: Int

    /// 256 expressions, 64 levels, 4,096 bytes of expression, 32 names of path, 16 functions, 256 KiB.
    package static let standard = TemplateLimits()

    /// Makes limits; a negative one is taken for 0.
    package init(
        maximumExpressions: Int = 256,
        maximumDepth: Int = 64,
        maximumExpressionBytes: Int = 4096,
        maximumPathLength: Int = 32,
        maximumFunctions: Int = 16,
        maximumBytes: Int = 256 << 10
    ) {
        self.maximumExpressions = max(maximumExpressions, 0)
        // The compiler recurses into a template's value, so the depth stays what JSON allows.
        self.maximumDepth = min(max(maximumDepth, 0), 128)
        self.maximumExpressionBytes = max(maximumExpressionBytes, 0)
        self.maximumPathLength = max(maximumPathLength, 0)
        self.maximumFunctions = max(maximumFunctions, 0)
        self.maximumBytes = min(max(maximumBytes, 0), 1 << 28)
    }
}
