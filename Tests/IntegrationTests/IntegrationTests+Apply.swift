import Foundation
import JSON
import TestSupport
import Testing

extension IntegrationTests {
    private func apply(_ arguments: String...) async throws -> (status: Int32, output: String) {
        let process = try ServiceProcess(
            "batuta",
            arguments: ["apply"] + arguments,
            environment: ["BATUTA_URL": try installation.client().base, "BATUTA_TOKEN": installation.token]
        )
        let status = try await process.waitForExit(within: .seconds(60))
        return (status, process.log)
    }

    /// Files are planned and applied; applied twice they change nothing, and faulty ones change nothing at all.
    @Test func filesOfAutomationsAreApplied() async throws {
        let key = Self.unique("apply")
        let folder = FileManager.default.temporaryDirectory.appending(path: key)
        try FileManager.default.createDirectory(at: folder.appending(path: "more"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
        }
        func automation(_ name: String, action: String = "data.transform") -> String {
            """
            automation_key: \(key)-\(name)
            name: \(name)
            status: active
            definition:
              trigger: {signalType: \(key).\(name)}
              steps:
                - name: note
                  action_key: \(action)
                  input: {text: "{{ signal.type }}"}

            """
        }
        try write("one.yaml", automation("one") + "---\n" + automation("two"))
        try write("more/three.yml", automation("three", action: "no.such"))
        let faulty = try await apply("-f", folder.path)
        #expect(faulty.status == 1)
        #expect(faulty.output.contains("more/three.yml:8: "), "\(faulty.output)")
        #expect(faulty.output.contains("unknown_action") && faulty.output.contains("nothing was changed"))
        #expect(try await installation.client().get("/admin/api/automations/\(key)-one").status == 404)

        try write("more/three.yml", automation("three"))
        let planned = try await apply("-f", folder.path, "--plan", "--exit-code")
        #expect(planned.status == 2, "\(planned.output)")
        #expect(planned.output.contains("+ \(key)-three: create, activate"))
        #expect(try await installation.client().get("/admin/api/automations/\(key)-one").status == 404)
        let applied = try await apply("-f", folder.path)
        #expect(applied.status == 0, "\(applied.output)")
        for name in ["one", "two", "three"] {
            let stored = try await installation.read("/admin/api/automations/\(key)-\(name)")
            #expect(stored["status"]?.stringValue == "active" && stored["version"]?.int64Value == 1)
        }
        let again = try await apply("-f", folder.path)
        #expect(again.output.contains("0 changed, 3 unchanged."), "\(again.output)")

        try write(
            "one.yaml",
            automation("one").replacing("signal.type", with: "signal.id") + "---\n" + automation("two")
        )
        let edited = try await apply("-f", folder.appending(path: "one.yaml").path)
        #expect(edited.output.contains("~ \(key)-one: edit version 1"), "\(edited.output)")
        #expect(edited.output.contains("/definition/steps/0/input/text"), "\(edited.output)")
        #expect(edited.output.contains("1 changed, 1 unchanged."))
        let stored = try await installation.read("/admin/api/automations/\(key)-one")
        #expect(stored["version"]?.int64Value == 2 && stored["status"]?.stringValue == "active")
        let clean = try await apply("-f", folder.path, "--plan", "--exit-code")
        #expect(clean.status == 0, "\(clean.output)")
    }
}
