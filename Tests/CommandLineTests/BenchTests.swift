import ArgumentParser
import Foundation
import JSON
import Testing

@testable import CommandLineCore

@Suite struct BenchTests {
    @Test func everySignalIsOneKilobyteWithAnIDOfItsOwn() throws {
        let request = SignalRequest(host: "localhost:8080", token: "bat_x", type: "bench.abc1234")
        var ids: Set<String> = []
        for number in [0, 1, 9, 10, 21_999, 999_999_999] {
            let event = request.event(number)
            #expect(event.count == SignalRequest.eventBytes)
            let root = try JSONDocument(parsing: event).root
            #expect(root["specversion"]?.stringValue == "1.0")
            #expect(root["type"]?.stringValue == "bench.abc1234")
            ids.insert(try #require(root["id"]?.stringValue))
        }
        #expect(ids.count == 6)
    }

    @Test func aRequestIsWhole() throws {
        let request = SignalRequest(host: "localhost:8080", token: "bat_x", type: "bench.abc")
        let text = String(decoding: request.bytes(7), as: UTF8.self)
        let end = try #require(text.range(of: "\r\n\r\n"))
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        #expect(lines.first == "POST /api/signals HTTP/1.1")
        #expect(lines.contains("Host: localhost:8080"))
        #expect(lines.contains("Authorization: Bearer bat_x"))
        #expect(lines.contains("Content-Type: application/cloudevents+json"))
        #expect(lines.contains("Content-Length: \(text[end.upperBound...].utf8.count)"))
        #expect(Array(text[end.upperBound...].utf8) == request.event(7))
    }

    @Test func theDefinitionHasThreeStepsAndTheSignalType() throws {
        let client = try #require(GatewayClient(url: "http://localhost:8080/", token: "t"))
        let automation = BenchAutomation(key: "bench-a", signalType: "bench.a", client: client)
        let root = try JSONDocument(parsing: automation.definition).root
        #expect(root["automation_key"]?.stringValue == "bench-a")
        #expect(root["definition"]?["trigger"]?["signalType"]?.stringValue == "bench.a")
        let steps = try #require(root["definition"]?["steps"])
        #expect(steps.elements.map { $0["action_key"]?.stringValue } == Array(repeating: "data.transform", count: 3))
        #expect(Set(steps.elements.compactMap { $0["name"]?.stringValue }).count == 3)
    }

    @Test func aBatchIsAnArrayOfItsEvents() throws {
        let request = SignalRequest(host: "localhost:8080", token: "bat_x", type: "bench.abc")
        for numbers in [5..<8, 7..<8] {
            let text = String(decoding: request.bytes(batch: numbers), as: UTF8.self)
            let end = try #require(text.range(of: "\r\n\r\n"))
            let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
            #expect(lines.first == "POST /api/signals HTTP/1.1")
            #expect(lines.contains("Authorization: Bearer bat_x"))
            #expect(lines.contains("Content-Type: application/cloudevents-batch+json"))
            #expect(lines.contains("Content-Length: \(text[end.upperBound...].utf8.count)"))
            let root = try JSONDocument(parsing: Array(text[end.upperBound...].utf8)).root
            let ids = try root.elements.map { try #require($0["id"]?.stringValue) }
            let expected = try numbers.map { try JSONDocument(parsing: request.event($0)).root["id"]?.stringValue }
            #expect(ids == expected)
        }
    }

    @Test func theStepsOfTheOtherKindCallTheSink() throws {
        let client = try #require(GatewayClient(url: "http://localhost:8080/", token: "t"))
        let automation = BenchAutomation(
            key: "bench-a",
            signalType: "bench.a",
            client: client,
            steps: .http("127.0.0.1:9")
        )
        let root = try JSONDocument(parsing: automation.definition).root
        let steps = try #require(root["definition"]?["steps"])
        #expect(steps.elements.map { $0["action_key"]?.stringValue } == Array(repeating: "http.request", count: 3))
        #expect(Set(steps.elements.compactMap { $0["name"]?.stringValue }).count == 3)
        for step in steps.elements {
            #expect(step["input"]?["url"]?.stringValue?.hasPrefix("http://127.0.0.1:9/") == true)
        }
    }

    @Test func percentilesAreNearestRanks() {
        var latencies = Latencies()
        #expect(latencies.percentile(0.5) == nil)
        for value in (1...100).shuffled() { latencies.record(.milliseconds(value)) }
        #expect(latencies.percentile(0) == 1)
        #expect(latencies.percentile(0.5) == 50)
        #expect(latencies.percentile(0.99) == 99)
        #expect(latencies.percentile(1) == 100)
        var one = Latencies()
        one.record(.microseconds(1_234))
        #expect(one.percentile(0.01) == 1.234)
        #expect(one.percentile(0.99) == 1.234)
        one.record(.seconds(-1))
        #expect(one.percentile(0.5) == 0)
    }

    @Test func aReportIsOneLineOfJSON() throws {
        var latencies = Latencies()
        latencies.record(.milliseconds(3))
        let report = BenchReport.DurableRuns(
            signals: 2_000,
            concurrency: 8,
            acceptedSeconds: 1,
            seconds: 2,
            latencies: latencies,
            cpu: [("postgres", 0.5), ("engine", 0.1)],
            loadCPU: 0.04
        )
        #expect(!report.line().contains("\n"))
        let root = try JSONDocument(parsing: report.line()).root
        #expect(root["runs_s"]?.doubleValue == 1_000)
        #expect(root["accepted_s"]?.doubleValue == 2_000)
        #expect(root["cpu_s_per_1000_runs"]?.doubleValue == 0.3)
        #expect(root["cpu_by_process"]?["postgres"]?.doubleValue == 0.25)
        #expect(root["load_cpu_s_per_1000_runs"]?.doubleValue == 0.02)
        #expect(root["p99_ms"]?.doubleValue == 3)
        #expect(root["figure"]?.stringValue == "durable_runs")
        #expect(root["label"] == nil)
        let labelled = try JSONDocument(parsing: report.line(label: "full")).root
        #expect(labelled["label"]?.stringValue == "full")
    }

    @Test func memoryIsReportedInMegabytes() throws {
        let report = BenchReport.Memory(
            load: "durable_runs",
            concurrency: 64,
            process: "engine",
            rest: ProcessMemory(privateBytes: 10_000_000, residentBytes: 40_000_000),
            peak: ProcessMemory(privateBytes: 20_000_000, residentBytes: 50_000_000),
            after: ProcessMemory(privateBytes: 15_040_000, residentBytes: 45_000_000)
        )
        let root = try JSONDocument(parsing: report.line()).root
        #expect(root["process"]?.stringValue == "engine")
        #expect(root["concurrency"]?.doubleValue == 64)
        #expect(root["rest_private_mb"]?.doubleValue == 10)
        #expect(root["rest_resident_mb"]?.doubleValue == 40)
        #expect(root["load_private_mb"]?.doubleValue == 20)
        #expect(root["load_resident_mb"]?.doubleValue == 50)
        #expect(root["after_private_mb"]?.doubleValue == 15)
        #expect(root["after_resident_mb"]?.doubleValue == 45)
    }

    @Test func withoutProcessesThereIsNoCPUFigure() throws {
        let report = BenchReport.DurableRuns(
            signals: 1,
            concurrency: 1,
            acceptedSeconds: 1,
            seconds: 1,
            latencies: Latencies(),
            cpu: [],
            loadCPU: 0
        )
        let root = try JSONDocument(parsing: report.line()).root
        #expect(root["cpu_s_per_1000_runs"]?.isNull == true)
        #expect(root["p50_ms"]?.isNull == true)
    }

    @Test func metricsAreSummedOverTheirLabels() {
        let text = """
            # HELP batuta_x_total Things.
            # TYPE batuta_x_total counter
            batuta_x_total{kind="a b"} 3
            batuta_x_total{kind="c"} 4
            batuta_x_total_more 100
            batuta_y 7

            """
        #expect(AuditLogSize.value(of: "batuta_x_total", in: text) == 7)
        #expect(AuditLogSize.value(of: "batuta_y", in: text) == 7)
        #expect(AuditLogSize.value(of: "batuta_z", in: text) == nil)
    }

    @Test(arguments: [
        ["--signals", "0"], ["--concurrency", "0"], ["--deadline", "0"], ["--warm-up", "-1"], ["--process", "a"],
        ["--batch", "1001"], ["--listings", "-1"], ["--steps", "other"], ["--sink", "nowhere"], ["--process", "a=0"],
        ["--process", "a=x"], ["--soak", "180"], ["--process", "a=1", "--process", "a=2"],
    ]) func refusesArgumentsThatMakeNoSense(arguments: [String]) {
        #expect(throws: (any Error).self) { try BatutaCommand.parseAsRoot(["bench"] + arguments) }
    }
}
