import CoreMetrics
import Testing

@testable import ServiceRuntime

@Suite struct PrometheusTests {
    private let registry = PrometheusRegistry()

    @Test func theTextIsExact() {
        registry.declare([
            .counter("batuta_signals_accepted_total", help: "Signals \\ that\nwere accepted.", labels: ["tenant"]),
            .counter("batuta_idle_total", help: "Not counted yet."),
            .gauge("batuta_queue_depth", help: "Messages waiting."),
            .histogram("batuta_commit_seconds", help: "Commit time.", labels: ["op"], buckets: [0.5, 1, 2.5]),
        ])
        Counter(label: "batuta_signals_accepted_total", dimensions: [("tenant", "b")], factory: registry).increment(
            by: 2
        )
        for _ in 0..<3 {
            Counter(label: "batuta_signals_accepted_total", dimensions: [("tenant", "a\"\\\n")], factory: registry)
                .increment()
        }
        Gauge(label: "batuta_queue_depth", factory: registry).record(2.5)
        let timer = Timer(label: "batuta_commit_seconds", dimensions: [("op", "write")], factory: registry)
        for milliseconds in [500, 750, 3000] { timer.recordMilliseconds(milliseconds) }
        #expect(
            registry.exposition() == #"""
                # HELP batuta_commit_seconds Commit time.
                # TYPE batuta_commit_seconds histogram
                batuta_commit_seconds_bucket{op="write",le="0.5"} 1
                batuta_commit_seconds_bucket{op="write",le="1"} 2
                batuta_commit_seconds_bucket{op="write",le="2.5"} 2
                batuta_commit_seconds_bucket{op="write",le="+Inf"} 3
                batuta_commit_seconds_sum{op="write"} 4.25
                batuta_commit_seconds_count{op="write"} 3
                # HELP batuta_idle_total Not counted yet.
                # TYPE batuta_idle_total counter
                batuta_idle_total 0
                # HELP batuta_queue_depth Messages waiting.
                # TYPE batuta_queue_depth gauge
                batuta_queue_depth 2.5
                # HELP batuta_signals_accepted_total Signals \\ that\nwere accepted.
                # TYPE batuta_signals_accepted_total counter
                batuta_signals_accepted_total{tenant="a\"\\\n"} 3
                batuta_signals_accepted_total{tenant="b"} 2

                """#
        )
        #expect(registry.faults == [])
    }

    @Test func libraryMetricsGetNamesThatPrometheusAccepts() {
        Counter(label: "hb.requests", dimensions: [("http-route", "/x"), ("le", "1")], factory: registry).increment()
        Timer(label: "http.server.duration", factory: registry).recordNanoseconds(1)
        Meter(label: "pool.size", factory: registry).increment(by: 3)
        FloatingPointCounter(label: "spent_total", factory: registry).increment(by: 0.25)
        Recorder(label: "sizes", factory: registry).record(3)
        let text = registry.exposition()
        #expect(text.contains("# HELP hb_requests_total Reported by a library as hb.requests.\n"))
        #expect(text.contains(#"hb_requests_total{http_route="/x",x_le="1"} 1"# + "\n"))
        #expect(text.contains("# TYPE http_server_duration_seconds histogram\n"))
        #expect(text.contains("http_server_duration_seconds_bucket{le=\"0.005\"} 1\n"))
        #expect(text.contains("http_server_duration_seconds_bucket{le=\"10\"} 1\n"))
        #expect(text.contains("pool_size 3\n"))
        #expect(text.contains("spent_total 0.25\n"))
        #expect(text.contains("sizes_bucket{le=\"5\"} 1\n"))
    }

    @Test func aNameHasOneKind() {
        registry.declare([.counter("batuta_x_total", help: "X.")])
        Gauge(label: "batuta_x_total", factory: registry).record(9)
        #expect(registry.exposition().contains("batuta_x_total 0\n"))
        #expect(registry.faults == ["batuta_x_total is a counter and was used as a gauge"])
    }

    @Test func aFamilyDoesNotGrowWithoutBound() {
        for number in 0..<(MetricFamily.greatestCount + 10) {
            Counter(label: "many_total", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        #expect(registry.exposition().split(separator: "\n").count == MetricFamily.greatestCount + 2)
        #expect(registry.faults.count == 1)
    }

    @Test func concurrentIncrementsAreAllCounted() async {
        let counter = Counter(label: "c_total", factory: registry)
        let timer = Timer(label: "t", factory: registry)
        let meter = Meter(label: "m", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { @concurrent in
                    for _ in 0..<1000 {
                        counter.increment()
                        timer.recordSeconds(1)
                        meter.increment(by: 0.5)
                    }
                }
            }
        }
        let text = registry.exposition()
        #expect(text.contains("c_total 4000\n"))
        #expect(text.contains("t_seconds_count 4000\n"))
        #expect(text.contains("t_seconds_sum 4000\n"))
        #expect(text.contains("m 2000\n"))
    }

    @Test func whatIsDestroyedIsForgottenUnlessItWasDeclared() {
        registry.declare([.counter("batuta_kept_total", help: "Kept.")])
        for label in ["batuta_kept_total", "gone_total"] {
            let counter = Counter(label: label, factory: registry)
            counter.increment()
            counter.destroy()
        }
        #expect(registry.exposition().contains("batuta_kept_total 1\n"))
        #expect(!registry.exposition().contains("gone_total"))
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (0.1, "0.1"), (1e21, "1e+21"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (123_456_789_012, "123456789012"),
    ])
    func numbersAreWritten(number: Double, text: String) {
        #expect(Exposition.number(number) == text)
    }

    @Test func theProcessAndItsBuildAreMeasured() throws {
        registry.addCollector(ProcessMetrics.collect)
        registry.addCollector(BuildInformation(.scheduler).collect)
        registry.observe("batuta_answer", help: "The answer.") { 42 }
        let text = registry.exposition()
        let version = ServiceIdentity.systemVersion
        #expect(text.contains("batuta_build_info{service=\"scheduler\",version=\"\(version)\"} 1\n"))
        #expect(text.contains("batuta_answer 42\n"))
        for name in ["cpu_seconds_total", "open_fds", "max_fds"] { _ = try sample("process_\(name)", in: text) }
        #expect(try sample("process_resident_memory_bytes", in: text) > 1e6)
        #expect(try sample("process_virtual_memory_bytes", in: text) > 1e6)
        let now = Double(LogTime.now().seconds)
        #expect(abs(try sample("process_start_time_seconds", in: text) - now) < 86_400)
        try checkConventions(of: text)
    }

    @Test func aCommandNameWithBlanksIsNoTrap() {
        let rest = (3...52).map(String.init).joined(separator: " ")
        let status = ProcessMetrics.fields(ofStatus: "7 (a) b) \(rest)")
        #expect(status?.userTicks == 14)
        #expect(status?.systemTicks == 15)
        #expect(status?.startTicks == 22)
        #expect(status?.virtual == 23)
        #expect(status?.residentPages == 24)
        #expect(ProcessMetrics.fields(ofStatus: "7 (a) S 1") == nil)
    }

    private func sample(_ name: String, in text: String) throws -> Double {
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return try #require(line.flatMap { Double($0.dropFirst(name.count + 1)) }, "\(name)")
    }

    /// What `promtool check metrics` looks at, over every family of the text.
    private func checkConventions(of text: String) throws {
        var help: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard line.hasPrefix("#") else { continue }
            if words[1] == "HELP" {
                help[words[2]] = words[3]
            } else {
                let kind = try #require(MetricDescription.Kind(rawValue: String(words[3])))
                let text = String(try #require(help[words[2]], "HELP comes before TYPE"))
                let name = String(words[2])
                let description: MetricDescription =
                    switch kind {
                    case .counter: .counter(name, help: text)
                    case .gauge: .gauge(name, help: text)
                    case .histogram: .histogram(name, help: text)
                    }
                #expect(MetricConventions.faults(in: description) == [])
            }
        }
        #expect(help.count >= 8)
    }
}

@Suite struct MetricConventionsTests {
    @Test(arguments: [
        MetricDescription.counter("batuta_runs_started_total", help: "H."),
        .gauge("batuta_queue_depth", help: "H."), .gauge("batuta_snapshot_bytes", help: "H.", labels: ["tenant"]),
        .histogram("batuta_step_duration_seconds", help: "H."),
    ])
    func goodDescriptionsHaveNoFaults(metric: MetricDescription) {
        #expect(MetricConventions.faults(in: metric) == [])
    }

    @Test(arguments: [
        (MetricDescription.counter("batuta_runs", help: "H."), "does not end in _total"),
        (.gauge("batuta_runs_total", help: "H."), "is no counter"),
        (.gauge("batuta_runs", help: ""), "no help text"),
        (.gauge("batuta_runs_count", help: "H."), "a suffix that histograms have"),
        (.histogram("batuta_wait_ms", help: "H."), "abbreviates a unit (ms)"),
        (.histogram("batuta_wait_milliseconds", help: "H."), "base unit"),
        (.gauge("batuta_depth_gauge", help: "H."), "names its type"),
        (.gauge("batutaDepth", help: "H."), "is not made of"),
        (.gauge("batuta__depth", help: "H."), "is not made of"),
        (.gauge("1batuta", help: "H."), "is not made of"),
        (.gauge("batuta:depth", help: "H."), "is not made of"),
        (.gauge("batuta_depth", help: "H.", labels: ["le"]), "is reserved"),
        (.gauge("batuta_depth", help: "H.", labels: ["a-b"]), "no label name"),
        (.histogram("batuta_wait_seconds", help: "H.", buckets: [1, 1]), "do not grow"),
        (.histogram("batuta_wait_seconds", help: "H.", buckets: [1, .infinity]), "do not grow"),
    ])
    func badDescriptionsHaveOne(metric: MetricDescription, fault: String) {
        let faults = MetricConventions.faults(in: metric)
        #expect(faults.count == 1)
        #expect(faults.first?.contains(fault) == true, "\(faults)")
    }
}
