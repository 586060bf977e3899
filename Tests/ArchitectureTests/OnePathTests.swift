import Foundation
import Testing

/// Holds the sources to the engine's one path, and to what nobody may ask of it.
@Suite("One path of the engine")
struct OnePathTests {
    private let services: [SourceTree.File]
    private let contracts: [SourceTree.File]

    init() throws {
        let tree = try SourceTree.current.get()
        services = tree.files.filter { $0.path.hasPrefix("Services/") }
        contracts = tree.shared("Contracts")
    }

    /// The files with a line that contains a text.
    private func files(with text: String) -> [String] {
        services.filter { $0.lines.contains { $0.contains(text) } }.map(\.path)
    }

    @Test("Rule 1: one function of the engine makes runs, whatever has asked for them")
    func oneFunction() {
        let writing = "Services/AutomationEngine/Core/Runs/Storage/RunRepository+Writing.swift"
        for table in ["automation_runs", "automation_dedup"] {
            #expect(files(with: "INSERT INTO engine.\(table)") == [writing])
        }
        let processor = ["Services/AutomationEngine/Core/Signals/SignalProcessor.swift"]
        #expect(files(with: "RunRepository.insertion(") == processor)
        #expect(files(with: "RunRepository.claiming(") == processor)
    }

    @Test("Rule 5: what services ask the engine about actions is to list, read, register and withdraw them")
    func noInvocation() {
        let names = contracts.flatMap(\.lines).flatMap { line in
            line.components(separatedBy: "\"").filter { $0.hasPrefix("engine.") && $0.contains("action") }
        }
        #expect(
            Set(names) == ["engine.actions.list", "engine.actions.get", "engine.actions.put", "engine.actions.delete"]
        )
    }
}
