package import ArgumentParser
import Foundation
import JSON
import NIOHTTP1

/// `batuta apply`: makes automations as files state them.
package struct ApplyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Create and edit automations as files state them.",
        discussion: """
            A file is YAML or JSON and states automations: automation_key, name, description, definition and, if it is to \
            be changed, the status (active or deprecated). YAML is read as JSON: what is no number, true, false or null is \
            a text. Several automations of one file are separated by lines of three dashes.

            All definitions are validated first, and every fault is named with file and line; nothing is changed then. \
            What is done is shown before it is done; an automation that is as its file states it is not touched. \
            Automations without a file stay as they are.

            An edit is based on the version that was shown: if somebody else has edited the automation in between, it is \
            refused, and the command can be given again.

            The exit code is 0 when everything is as the files state it, 1 when something was refused, 2 with \
            --exit-code when --plan shows a change, and 75 when the gateway could not be reached.
            """
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: [.customShort("f"), .customLong("file")], help: "A file or a folder of files; may be given again.")
    var files: [String]

    @Flag(name: .long, help: "Only show what would be done.")
    var plan = false

    @Flag(name: .long, help: "With --plan, end with 2 where something would be done.")
    var exitCode = false

    package init() {}

    package mutating func validate() throws {
        guard !files.isEmpty else {
            throw ValidationError("Give a file or a folder with -f.")
        }
        guard plan || !exitCode else {
            throw ValidationError("--exit-code goes with --plan.")
        }
    }

    package mutating func run() async throws {
        let client = try gateway.client()
        let (paths, isPlan) = (files, plan)
        var hasChanges = false
        try await failing {
            let automations = try AutomationFile.read(paths)
            try await Self.requireValid(automations, client)
            var plans: [ApplyPlan] = []
            for automation in automations {
                plans.append(ApplyPlan(automation, current: try await Self.current(automation.key, client)))
            }
            for plan in plans {
                print(plan.summary)
                for line in plan.differences { print("    \(line)") }
            }
            hasChanges = plans.contains { !$0.steps.isEmpty }
            guard !isPlan else { return }
            for plan in plans {
                try await Self.carryOut(plan, client)
            }
            print("\(plans.count { !$0.steps.isEmpty }) changed, \(plans.count { $0.steps.isEmpty }) unchanged.")
        }
        if isPlan, exitCode, hasChanges {
            throw ExitCode(2)
        }
    }

    /// Asks the gateway about every definition, and names the faults of all of them.
    private static func requireValid(_ files: [AutomationFile], _ client: GatewayClient) async throws(CommandLineError)
    {
        var faults: [String] = []
        for file in files {
            let answer = try await client.json(.POST, "/admin/api/automations/validate", body: file.draft)
            for error in answer["errors"]?.arrayValue ?? [] {
                let pointer = error["pointer"]?.stringValue ?? ""
                faults.append(
                    "\(file.place(of: pointer)): \(error["detail"]?.stringValue ?? "") "
                        + "(\(pointer), \(error["code"]?.stringValue ?? ""))"
                )
            }
        }
        guard faults.isEmpty else {
            throw CommandLineError(.answer, "nothing was changed:\n\(faults.joined(separator: "\n"))")
        }
    }

    /// The automation as it is; nil where there is none.
    private static func current(_ key: String, _ client: GatewayClient) async throws(CommandLineError) -> JSONView? {
        let answer = try await client.ask(.GET, path(key))
        if answer.status == 404 { return nil }
        guard answer.isSuccess, let document = try? JSONDocument(parsing: answer.body, limits: .wrapped) else {
            throw GatewayClient.refusal(answer.status, try? JSONValue(parsing: answer.body, limits: .wrapped))
        }
        return document.root
    }

    private static func carryOut(_ plan: ApplyPlan, _ client: GatewayClient) async throws(CommandLineError) {
        for step in plan.steps {
            do {
                switch step {
                case .create:
                    _ = try await client.json(.POST, "/admin/api/automations", body: plan.file.draft)
                case .edit(let version):
                    _ = try await client.json(.PUT, path(plan.file.key), body: plan.file.edit(version: version))
                case .activate:
                    _ = try await client.json(.POST, "\(path(plan.file.key))/activate")
                case .deactivate:
                    _ = try await client.json(.POST, "\(path(plan.file.key))/deactivate")
                }
            } catch {
                throw CommandLineError(error.code, "\(plan.file.place(of: "")): \(plan.file.key): \(error.message)")
            }
        }
    }

    private static func path(_ key: String) -> String { "/admin/api/automations/\(key)" }
}

extension AutomationFile {
    /// The body of a creation, and of a validation.
    fileprivate var draft: JSONValue { body(adding: [JSONMember("automation_key", .string(key))]) }

    /// The body of an edit.
    fileprivate func edit(version: Int64) -> JSONValue { body(adding: [JSONMember("version", .number(version))]) }

    private func body(adding first: [JSONMember]) -> JSONValue {
        var members = first
        let root = document.json.root
        if let name = root["name"] { members.append(JSONMember("name", Self.value(name))) }
        members.append(JSONMember("description", root["description"].map(Self.value) ?? .null))
        members.append(JSONMember("definition", Self.value(definition)))
        return .object(members)
    }

    private static func value(_ view: JSONView) -> JSONValue {
        (try? JSONValue(parsing: Array(view.rawBytes), limits: .wrapped)) ?? .null
    }
}
