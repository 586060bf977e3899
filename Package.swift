// swift-tools-version: 6.2
import PackageDescription

// MARK: - Names used more than once

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let lifecycleTestKit: Target.Dependency = .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// MARK: - Settings of every target

/// The one set of strict settings; a misspelt feature name is silently ignored, so `Domain` guards each with `#error`.
let strictSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Warnings are errors in `make lint` and CI, but not in a newcomer's build with a later toolchain.
let warningSettings: [SwiftSetting] =
    Context.environment["BATUTA_WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []

// MARK: - Targets

/// A library under `Shared`.
func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)")
}

/// A service: its core, which does everything, and its executable, which only starts it.
func service(
    _ folder: String,
    executable: String,
    _ dependencies: [Target.Dependency]
) -> [Target] {
    let core = "\(folder)Core"
    return [
        .target(name: core, dependencies: dependencies, path: "Services/\(folder)/Core"),
        .executableTarget(
            name: executable,
            dependencies: [.target(name: core), "FaultInjection", "ServiceRuntime", argumentParser],
            path: "Services/\(folder)/App"
        ),
    ]
}

/// Tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude)
}

let sharedTargets: [Target] = [
    .systemLibrary(
        name: "CPostgreSQL",
        path: "Shared/CPostgreSQL",
        pkgConfig: "libpq",
        providers: [.apt(["libpq-dev"])]
    ),
    .systemLibrary(
        name: "CCurl",
        path: "Shared/CCurl",
        pkgConfig: "libcurl",
        providers: [.apt(["libcurl4-openssl-dev"])]
    ),
    .target(name: "CRabbitMQ", path: "Shared/CRabbitMQ", linkerSettings: [.linkedLibrary("rabbitmq")]),
    shared("JSON"),
    shared("CloudEvents", ["JSON"]),
    shared("Domain", ["JSON"]),
    shared("EventPattern", ["JSON"]),
    shared("JSONSchema", ["JSON"]),
    shared("Templates", ["JSON", crypto]),
    shared("Secrets", [crypto]),
    shared("AuditExport", ["JSON", "MerkleLog", crypto]),
    shared("Contracts", ["Domain", "JSON", crypto]),
    shared("MerkleLog", [crypto]),
    shared("Checkpoints", ["JSON", "MerkleLog", "Secrets"]),
    shared("FaultInjection"),
    shared("Mail", ["CCurl", "Secrets", nioCore, nioPosix, serviceLifecycle]),
    shared("OutboundHTTP", [asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL, serviceLifecycle]),
    shared("PostgreSQL", ["CPostgreSQL", deque, logging, serviceLifecycle]),
    shared(
        "ServiceBase",
        [
            "Contracts", "Domain", "JSON", "Messaging", "Persistence", "Secrets", "ServiceRuntime", coreMetrics,
            logging,
            serviceLifecycle,
        ]
    ),
    shared("RabbitMQ", ["CRabbitMQ", deque, logging, serviceLifecycle]),
    shared("Persistence", ["PostgreSQL", coreMetrics, crypto, logging, serviceLifecycle]),
    shared(
        "Messaging",
        [
            "Contracts", "Domain", "FaultInjection", "JSON", "PostgreSQL", "RabbitMQ", crypto, deque, logging, metrics,
            serviceLifecycle,
        ]
    ),
    shared(
        "ServiceRuntime",
        [
            configuration, coreMetrics, httpTypes, hummingbird, logging, nioCore, serviceLifecycle, unixSignals,
        ]
    ),
]

let coreDependencies: [Target.Dependency] = [
    "Contracts", "Domain", "FaultInjection", "JSON", "Messaging", "Persistence", "ServiceBase", "ServiceRuntime",
    crypto, logging,
    metrics, serviceLifecycle,
]

let serviceTargets: [Target] =
    service(
        "APIGateway",
        executable: "api-gateway",
        coreDependencies + [
            "AuditExport", "CloudEvents", "EventPattern", "MerkleLog", "Secrets", deque, httpTypes, hummingbird,
            hummingbirdCore, nioCore, nioHTTP1, nioHTTPTypes, nioSSL,
        ]
    )
    + service(
        "AutomationEngine",
        executable: "automation-engine",
        coreDependencies + [
            "CloudEvents", "EventPattern", "JSONSchema", "Mail", "OutboundHTTP", "Secrets", "Templates", deque,
        ]
    )
    + service("AuditWriter", executable: "audit-writer", coreDependencies + ["Checkpoints", "MerkleLog"])
    + service("Scheduler", executable: "scheduler", ["Persistence", "ServiceBase", "ServiceRuntime"])
    + service("JobController", executable: "job-controller", ["Persistence", "ServiceBase", "ServiceRuntime"])
    + service("WorkerAgent", executable: "worker-agent", ["ServiceRuntime", logging, serviceLifecycle])
    + service(
        "CommandLine",
        executable: "batuta",
        [
            "AuditExport", "Checkpoints", "Contracts", "Domain", "JSON", "MerkleLog", "Messaging", "Persistence",
            "Secrets", argumentParser, asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL, yams,
        ]
    )

let support: [Target.Dependency] = ["TestSupport"]

let testTargets: [Target] = [
    .target(
        name: "TestSupport",
        dependencies: [
            "Contracts", "Domain", "JSON", "MerkleLog", "Messaging", "Persistence", "PostgreSQL", "RabbitMQ",
            asyncHTTPClient, logging,
            nioCore, nioHTTP1, nioPosix, nioSSL, serviceLifecycle,
        ],
        path: "Tests/TestSupport"
    ),
    .target(
        name: "FaultSuite",
        dependencies: support + ["FaultInjection", "JSON", "Messaging", "Persistence", logging, nioCore, nioPosix],
        path: "Tests/FaultSuite"
    ),
    .executableTarget(name: "FaultRounds", dependencies: ["FaultSuite", "TestSupport"], path: "Tests/FaultRounds"),
    tests(
        "APIGatewayCore",
        support + coreDependencies + [
            "APIGatewayCore", "CloudEvents", "EventPattern", "Secrets", asyncHTTPClient, httpTypes, hummingbird,
            nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS,
        ]
    ),
    .executableTarget(
        name: "Benchmarks",
        dependencies: coreDependencies + [
            "AuditExport", "AuditWriterCore", "Checkpoints", "EventPattern", "MerkleLog",
        ],
        path: "Tests/Benchmarks"
    ),
    tests("Architecture", support),
    tests("AuditExport", support + ["AuditExport", "JSON", "MerkleLog", crypto]),
    tests(
        "AuditWriterCore",
        support + coreDependencies + ["AuditExport", "AuditWriterCore", "Checkpoints", "MerkleLog"]
    ),
    tests(
        "AutomationEngineCore",
        support + coreDependencies + [
            "AutomationEngineCore", "EventPattern", "JSONSchema", "Mail", "OutboundHTTP", "Secrets", "Templates",
            nioHTTP1,
        ]
    ),
    tests("Checkpoints", support + ["Checkpoints", "MerkleLog"]),
    tests("CloudEvents", support + ["CloudEvents", "JSON"]),
    tests(
        "CommandLine",
        support + coreDependencies + ["AuditExport", "Checkpoints", "CommandLineCore", "MerkleLog", argumentParser]
    ),
    tests("Contracts", support + ["Contracts", "Domain", "JSON", crypto], exclude: ["Golden"]),
    tests("Domain", support + ["Domain", "JSON"]),
    tests("Fault", support + coreDependencies + ["FaultSuite", nioHTTP1]),
    tests("FaultInjection", ["FaultInjection"]),
    tests("EventPattern", support + ["EventPattern", "JSON"], exclude: ["Cases"]),
    tests("JSONSchema", support + ["JSON", "JSONSchema"]),
    tests("Mail", support + ["CCurl", "Mail", "Secrets"]),
    tests("MerkleLog", support + ["JSON", "MerkleLog", crypto], exclude: ["Cases"]),
    tests("Templates", support + ["JSON", "Templates"]),
    tests("Secrets", support + ["JSON", "Secrets"]),
    tests(
        "OutboundHTTP",
        support + [
            "OutboundHTTP", lifecycleTestKit, nioCore, nioEmbedded, nioHTTP1, nioPosix, nioSSL, serviceLifecycle,
        ]
    ),
    tests("Integration", support + coreDependencies + ["APIGatewayCore", "MerkleLog", nioHTTP1]),
    tests("JSON", support + ["JSON"]),
    tests("Messaging", support + coreDependencies + ["PostgreSQL", "RabbitMQ", nioHTTP1]),
    tests("Persistence", support + ["Persistence", coreMetrics, logging, metricsTestKit, serviceLifecycle]),
    tests("PostgreSQL", support + ["PostgreSQL", logging, serviceLifecycle, lifecycleTestKit]),
    tests("RabbitMQ", support + ["RabbitMQ", logging, serviceLifecycle]),
    tests(
        "ServiceBase",
        support + [
            "Contracts", "Domain", "JSON", "Messaging", "Persistence", "Secrets", "ServiceBase", coreMetrics, logging,
            metricsTestKit, serviceLifecycle,
        ]
    ),
    tests("ServiceRuntime", ["ServiceRuntime", coreMetrics, logging, serviceLifecycle, lifecycleTestKit]),
    tests("TestSupport", support),
]

let package = Package(
    name: "batuta",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: sharedTargets + serviceTargets + testTargets
)

for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + strictSettings + warningSettings
}
