import JSON
import Testing

@testable import CommandLineCore

@Suite struct ApplyPlanTests {
    private static let definition = "definition: {trigger: {signalType: a.b}, steps: [{action_key: data.transform}]}"

    private func file(_ more: String = "", definition: String = definition) throws -> AutomationFile {
        let yaml = "automation_key: one\nname: One\n\(definition)\n\(more)"
        return try AutomationFile(try #require(try YAMLReader.documents(yaml).first), path: "one.yaml")
    }

    /// The automation as the gateway shows it.
    private func current(_ status: String, name: String = "One", description: String = "null") throws -> JSONView {
        try JSONDocument(
            parsing: """
                {"id":"x","automation_key":"one","name":"\(name)","description":\(description),"status":"\(status)",
                 "version":3,"definition":{"steps":[{"action_key":"data.transform"}],"trigger":{"signalType":"a.b"}}}
                """
        )
        .root
    }

    @Test func whatIsMissingIsCreated() throws {
        #expect(ApplyPlan(try file(), current: nil).steps == [.create])
        #expect(ApplyPlan(try file("status: active"), current: nil).steps == [.create, .activate])
        #expect(ApplyPlan(try file("status: deprecated"), current: nil).steps == [.create])
        #expect(ApplyPlan(try file("status: active"), current: nil).summary == "+ one: create, activate")
    }

    @Test func whatIsAsStatedIsLeftAlone() throws {
        for status in ["draft", "active", "deprecated", "broken"] {
            let plan = ApplyPlan(try file(), current: try current(status))
            #expect(plan.steps == [] && plan.differences == [] && plan.summary == "  one: unchanged")
        }
        #expect(ApplyPlan(try file("status: active"), current: try current("active")).steps == [])
        #expect(ApplyPlan(try file("status: deprecated"), current: try current("draft")).steps == [])
    }

    @Test func whatDiffersIsEditedAndShown() throws {
        let plan = ApplyPlan(
            try file("description: Why\nstatus: active"),
            current: try current("draft", name: "Old")
        )
        #expect(plan.steps == [.edit(version: 3), .activate])
        #expect(plan.summary == "~ one: edit version 3, activate")
        #expect(
            plan.differences == [#"replace /name "Old" with "One""#, #"replace /description null with "Why""#]
        )
        let other = ApplyPlan(
            try file(definition: Self.definition.replacing("a.b", with: "a.c")),
            current: try current("active", description: #""Gone""#)
        )
        #expect(other.steps == [.edit(version: 3)])
        #expect(
            other.differences == [
                #"replace /description "Gone" with null"#, #"replace /definition/trigger/signalType "a.b" with "a.c""#,
            ]
        )
    }

    @Test func theStatusFollowsTheFile() throws {
        #expect(ApplyPlan(try file("status: active"), current: try current("deprecated")).steps == [.activate])
        #expect(ApplyPlan(try file("status: deprecated"), current: try current("active")).steps == [.deactivate])
    }

    @Test(arguments: [
        ("[]", "one.yaml:1: an automation is a mapping"),
        ("name: One", "one.yaml:1: the automation needs an automation_key"),
        ("automation_key: one\nname: x", "needs a definition"), ("automation_key: one\ndefinition: {}", "needs a name"),
        ("automation_key: one\nname: x\ndefinition: {}\nsteps: 1", "one.yaml:4: there is no member steps here"),
        (
            "automation_key: one\nname: x\ndefinition: {}\nstatus: draft",
            "one.yaml:4: the status is active or deprecated"
        ),
    ])
    func faultsAreNamedWithTheirLine(yaml: String, message: String) throws {
        let document = try #require(try YAMLReader.documents(yaml).first)
        let error = try #require(throws: CommandLineError.self) { try AutomationFile(document, path: "one.yaml") }
        #expect(error.message.contains(message), "\(error.message)")
    }
}
