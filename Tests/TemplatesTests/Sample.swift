import JSON
import Templates
import Testing

/// A context as `docs/templates.md` writes one, and what templates come to in it.
struct Sample {
    var context: TemplateContext
    let secrets: [String: String]

    var steps: Set<String> { Set(context.steps.keys) }

    /// Reads an object with `signal`, `metadata`, `steps`, `run`, `automation` and `secrets`.
    init(_ text: String) throws {
        let root = try JSONDocument(parsing: text).root
        var steps: [String: TemplateContext.Step] = [:]
        for member in try #require(root["steps"]).members {
            let status = try #require(member.value["status"]?.stringValue)
            steps[member.key] = TemplateContext.Step(status: status, output: member.value["output"])
        }
        let automation = try #require(root["automation"])
        context = TemplateContext(
            signal: try #require(root["signal"]),
            metadata: root["metadata"],
            steps: steps,
            run: TemplateContext.Run(
                id: try #require(root["run"]?["id"]?.stringValue),
                isDryRun: try #require(root["run"]?["dry_run"]?.boolValue as Bool?)
            ),
            automation: TemplateContext.Automation(
                id: try #require(automation["id"]?.stringValue),
                key: try #require(automation["key"]?.stringValue),
                version: Int(try #require(automation["version"]?.int64Value)),
                name: try #require(automation["name"]?.stringValue)
            )
        )
        var secrets: [String: String] = [:]
        if let members = root["secrets"]?.members {
            for member in members { secrets[member.key] = member.value.stringValue }
        }
        self.secrets = secrets
    }
}

extension Sample {
    /// The context of most tests.
    static func plain() throws -> Sample {
        try Sample(
            #"""
            {"signal": {"id": "s1", "type": "a.b", "data": {
                "text": "Grüße", "number": -1.50, "big": 123456789012345678901234567890, "yes": true, "no": false,
                "null": null, "list": [1, "two", null, [3], {"four": 4}], "empty": [], "object": {"b": 1, "a": [ 2 ]},
                "escaped": "\"\\\u0000\ud83d\ude00\/", "": "nameless"}},
             "metadata": {"trace_id": "t"},
             "steps": {"one": {"status": "succeeded", "output": {"x": [1]}}, "two": {"status": "skipped"}},
             "run": {"id": "r1", "dry_run": true},
             "automation": {"id": "a1", "key": "k", "version": 7, "name": "The \"name\""},
             "secrets": {"token": "CANARY-\"1\"", "other": "CANARY-2", "empty": ""}}
            """#
        )
    }

    /// What a template comes to, as text.
    func resolve(_ template: String) throws -> String {
        String(decoding: try resolveInput(template).value, as: UTF8.self)
    }

    /// What a template comes to, with its redaction.
    func resolveInput(_ template: String, limits: TemplateLimits = .standard) throws -> ResolvedInput {
        let compiled = try Template(compiling: JSONDocument(parsing: template).root, limits: limits)
        return try compiled.resolve(in: context, secrets: secrets)
    }

    /// What the one expression comes to that is a whole string.
    func evaluate(_ expression: String) throws -> String {
        try resolve(Self.template(of: expression))
    }

    /// The template that is one string with one expression.
    static func template(of expression: String) -> String {
        var writer = JSONWriter()
        writer.string("{{ \(expression) }}")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The error of resolving a template that compiles.
    func error(of template: String, limits: TemplateLimits = .standard) throws -> TemplateError {
        let compiled = try Template(compiling: JSONDocument(parsing: template).root, limits: limits)
        return try #require(throws: TemplateError.self) {
            _ = try compiled.resolve(in: context, secrets: secrets)
        }
    }

    /// The faults of a template, those of its references included.
    func faults(of template: String, limits: TemplateLimits = .standard) throws -> [TemplateFault] {
        let root = try JSONDocument(parsing: template).root
        do throws(TemplateFaults) {
            return try Template(compiling: root, limits: limits).check(steps: steps)
        } catch {
            return error.faults
        }
    }
}
