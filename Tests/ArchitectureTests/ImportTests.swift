import Foundation
import Testing

/// Holds the sources to the one-way rule: `App → Core → {ServiceRuntime, Messaging, Persistence} → Contracts → Domain`.
@Suite("Imports point one way")
struct ImportTests {
    private let tree: SourceTree

    init() throws {
        tree = try SourceTree.current.get()
    }

    @Test("the sources are found, so that the rules below have something to hold")
    func sourcesAreFound() {
        #expect(tree.files.contains { $0.path.hasPrefix("Shared/PostgreSQL/") })
        #expect(tree.files.contains { $0.path.hasPrefix("Services/") })
        #expect(tree.files.contains { $0.imports.contains("CPostgreSQL") })
    }

    @Test(
        "an import is read whatever stands before and after the module",
        arguments: [
            ("import JSON", "JSON"), ("package import JSON", "JSON"), ("@testable import JSON", "JSON"),
            ("  @_exported public import JSON // why", "JSON"), ("import struct Foundation.URL", "Foundation"),
            ("private import func Glibc.kill", "Glibc"),
        ]
    )
    func importsAreRead(line: String, module: String) {
        #expect(SourceTree.File.importedModule(line) == module)
    }

    @Test(
        "a line that is no import is not read as one",
        arguments: ["// import JSON", "let importJSON = 1", "importJSON()", "///  package import JSON", ""]
    )
    func otherLinesAreNot(line: String) {
        #expect(SourceTree.File.importedModule(line) == nil)
    }

    @Test(
        "a C module is imported by its one adapter only",
        arguments: [("CCurl", "Mail"), ("CPostgreSQL", "PostgreSQL"), ("CRabbitMQ", "RabbitMQ")]
    )
    func cModules(module: String, adapter: String) {
        for file in tree.files where file.imports.contains(module) {
            #expect(
                file.path.hasPrefix("Shared/\(adapter)/") || file.path.hasPrefix("Tests/\(adapter)Tests/"),
                "\(file.path) imports \(module)."
            )
        }
    }

    @Test(
        "only Persistence, Messaging, ServiceRuntime and tests import an adapter",
        arguments: ["PostgreSQL", "RabbitMQ"]
    )
    func adapters(adapter: String) {
        let allowed = ["Shared/Persistence/", "Shared/Messaging/", "Shared/ServiceRuntime/", "Tests/"]
        for file in tree.files where file.imports.contains(adapter) {
            #expect(allowed.contains(where: file.path.hasPrefix), "\(file.path) imports \(adapter).")
        }
    }

    @Test("no core imports another, and only its own app and tests import a core")
    func cores() {
        for file in tree.files {
            for module in file.imports where coreModules[module] != nil {
                guard file.folders.first != "Tests" else { continue }
                let own = coreModules[module].map { "Services/\($0)/" }
                #expect(own.map(file.path.hasPrefix) == true, "\(file.path) imports \(module).")
                #expect(file.folders.dropFirst(2).first == "App", "\(file.path) imports \(module).")
            }
        }
    }

    @Test(
        "a pure module does no input and output: it imports no adapter, no NIO, no server",
        arguments: [
            "JSON", "CloudEvents", "Domain", "Contracts", "EventPattern", "JSONSchema", "MerkleLog", "Templates",
            "Secrets",
        ]
    )
    func pureModules(module: String) {
        let forbidden: Set<String> = [
            "PostgreSQL", "RabbitMQ", "CPostgreSQL", "CRabbitMQ", "Persistence", "Messaging", "ServiceRuntime",
            "Hummingbird", "AsyncHTTPClient", "ServiceLifecycle",
        ]
        for file in tree.shared(module) {
            let found = file.imports.filter { forbidden.contains($0) || $0.hasPrefix("NIO") }
            #expect(found.isEmpty, "\(file.path) imports \(found.sorted()).")
        }
    }

    @Test("the shared modules below Persistence and Messaging do not import what stands above them")
    func layers() {
        let above: [String: Set<String>] = [
            "JSON": ["CloudEvents", "Domain", "Contracts", "FaultInjection"],
            "CloudEvents": ["Domain", "Contracts"],
            "Domain": ["Contracts"],
            "EventPattern": ["CloudEvents", "Domain", "Contracts", "Templates"],
            "JSONSchema": ["CloudEvents", "Domain", "Contracts", "EventPattern", "Templates"],
            "Templates": ["CloudEvents", "Domain", "Contracts", "EventPattern"],
            "Secrets": ["JSON", "Domain", "Contracts"],
            "MerkleLog": [
                "AuditExport", "JSON", "CloudEvents", "Domain", "Contracts", "FaultInjection", "Secrets", "Templates",
            ],
            "AuditExport": [
                "CloudEvents", "Domain", "Contracts", "FaultInjection", "Secrets", "Templates", "Persistence",
                "Messaging", "ServiceRuntime",
            ],
            "Mail": ["Persistence", "Messaging", "ServiceRuntime", "Contracts", "Domain", "JSON"],
            "OutboundHTTP": ["Persistence", "Messaging", "ServiceRuntime", "Contracts", "Domain"],
            "PostgreSQL": ["Persistence", "Messaging", "ServiceRuntime", "RabbitMQ", "Contracts", "Domain"],
            "RabbitMQ": ["Persistence", "Messaging", "ServiceRuntime", "PostgreSQL", "Contracts", "Domain"],
        ]
        for (module, forbidden) in above {
            for file in tree.shared(module) {
                let found = file.imports.intersection(forbidden)
                #expect(found.isEmpty, "\(file.path) imports \(found.sorted()).")
            }
        }
    }

    @Test("nothing that ships imports a module of the tests")
    func testsStayOutside() {
        for file in tree.files where file.folders.first != "Tests" {
            let found = file.imports.filter { ["Testing", "XCTest", "TestSupport", "FaultSuite"].contains($0) }
            #expect(found.isEmpty, "\(file.path) imports \(found.sorted()).")
        }
    }

    @Test("an app does no more than parse, configure, build and run: 60 lines a file")
    func appsAreSmall() {
        for file in tree.files where file.folders.first == "Services" && file.folders.dropFirst(2).first == "App" {
            let count = file.lines.last?.isEmpty == true ? file.lines.count - 1 : file.lines.count
            #expect(count <= 60, "\(file.path) has \(count) lines.")
        }
    }

    @Test(
        "each feature of the strict settings is guarded, since a misspelt name is silently ignored",
        arguments: [
            "ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility", "NonisolatedNonsendingByDefault",
        ]
    )
    func featuresAreGuarded(feature: String) {
        let guarded = tree.shared("Domain").contains { file in
            zip(file.lines, file.lines.dropFirst()).contains { line, next in
                line == "#if !hasFeature(\(feature))" && next.hasPrefix("#error(")
            }
        }
        #expect(guarded, "Shared/Domain does not break the build when \(feature) is off.")
    }

    /// The folders under `Services` by the name of their core's module, such as `AutomationEngineCore`.
    private var coreModules: [String: String] {
        let services = tree.files.filter { $0.folders.first == "Services" }.compactMap { $0.folders.dropFirst().first }
        return Dictionary(services.map { ("\($0)Core", $0) }, uniquingKeysWith: { first, _ in first })
    }
}
