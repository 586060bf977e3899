import Domain
import Foundation
import JSON
import Messaging
import NIOHTTP1
import TestSupport
import Testing

/// `batuta broker monitor` against a broker and services: what a monitor sees, what it loses, and what it may not do.
@Suite(
    "Monitors of the audit log",
    .serialized,
    .requiresServers,
    .installation("monitors", [.gateway: 1, .engine: 1, .auditWriter: 1]),
    .timeLimit(.minutes(5))
)
struct MonitorTests: SystemTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    // MARK: - The command

    /// `batuta broker monitor`, as an operator runs it.
    func command(_ name: String, of tenant: String, _ more: [String]) async throws -> Command.Result {
        let address = try ServerAddress(installation.servers.rabbitMQManagement)
        return try await Command.run(
            try BuildFolder.executable("batuta"),
            [
                "broker", "monitor", "--management-url",
                "http://\(address.user):\(address.password)@\(address.authorities[0])", "--virtual-host",
                installation.broker.virtualHost, "--tenant", tenant, "--name", name,
            ] + more
        )
    }

    /// Makes a monitor and takes it away in the end.
    func withMonitor(
        of tenant: String = Installation.tenant,
        _ more: String...,
        body: (Monitor) async throws -> Void
    ) async throws {
        let name = Self.unique("monitor")
        let made = try await command(name, of: tenant, more)
        try #require(made.status == 0, "\(made.output)")
        let password = try #require(made.output.split(separator: "\n").last.map(String.init))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(Monitor(tenant: tenant, name: name, password: password)))
        } catch {
            result = .failure(error)
        }
        let removed = try await command(name, of: tenant, ["--remove"])
        #expect(removed.status == 0, "\(removed.output)")
        try result.get()
    }

    // MARK: - The log

    /// Where the log ends.
    func size() async throws -> Int {
        try await installation.count("SELECT coalesce(max(leaf_index) + 1, 0) FROM audit.entries")
    }

    /// The entries of a tenant from an index on, in their order, as their bytes.
    func logged(from index: Int = 0, of tenant: String, by producer: String = "") async throws -> [String] {
        try await installation.texts(
            """
            SELECT convert_from(canonical, 'UTF8') FROM audit.entries
            WHERE leaf_index >= \(index) AND convert_from(canonical, 'UTF8')::json ->> 'tenant' = '\(tenant)'
              AND convert_from(canonical, 'UTF8')::json ->> 'producer' LIKE '\(producer)%'
            ORDER BY leaf_index
            """
        )
    }

    /// Has something done that leaves one entry of the engine in a message of its own, so many times.
    func change(_ count: Int) async throws {
        let key = Self.unique("changed")
        try await installation.automate(key, on: key)
        for number in 0..<count {
            let before = try await logged(of: Installation.tenant, by: "automation-engine/").count
            try await installation.change(key, number.isMultiple(of: 2) ? "deactivate" : "activate")
            try await eventually("the change is logged") {
                try await logged(of: Installation.tenant, by: "automation-engine/").count
            } until: {
                $0 > before
            }
        }
    }

    // MARK: - What it sees

    @Test("a monitor is given every entry of its tenant, or of one service of it, and none of another tenant")
    func entries() async throws {
        let foreign = Self.unique("tenant")
        let foreigner = try await installation.addTenant(foreign)
        try await withMonitor { all in
            try await withMonitor("--service", "engine") { some in
                try await withMonitor(of: foreign) { other in
                    let readers = try [all, some, other].map { try MonitorReader($0, installation) }
                    let start = try await size()
                    try await happen(foreigner)
                    let expected = try await [
                        logged(from: start, of: Installation.tenant),
                        logged(from: start, of: Installation.tenant, by: "automation-engine/"),
                        logged(from: start, of: foreign),
                    ]
                    #expect(expected[0].count > expected[1].count && !expected[1].isEmpty && !expected[2].isEmpty)
                    try await readers[0].run {
                        try await readers[1].run {
                            try await readers[2].run {
                                for (reader, lines) in zip(readers, expected) {
                                    try await eventually("everything has come") {
                                        Set(lines).subtracting(reader.lines)
                                    } until: {
                                        $0.isEmpty
                                    }
                                }
                            }
                        }
                    }
                    // What came was logged as it came, with the same bytes, of the right tenant and service.
                    let allowed = try await [
                        logged(of: Installation.tenant),
                        logged(of: Installation.tenant, by: "automation-engine/"), logged(of: foreign),
                    ]
                    for (reader, lines) in zip(readers, allowed) {
                        #expect(Set(reader.lines).isSubset(of: lines))
                        for delivery in reader.deliveries { try expectEnvelope(delivery) }
                    }
                }
            }
        }
    }

    /// Has entries made by gateway and engine, of two tenants, and waits until they are logged.
    private func happen(_ foreigner: String) async throws {
        let key = Self.unique("seen")
        try await installation.automate(key, on: key)
        let signal = try await installation.post(id: key, type: key)
        _ = try await run(of: signal.signalID, "succeeded")
        for client in [try installation.client(), try installation.client(token: foreigner)] {
            let token = try await client.post("/admin/api/tokens", json: #"{"name":"\#(key)","role":"viewer"}"#)
            #expect(token.status == 201, "\(token.text)")
        }
        let created = try await installation.client(token: foreigner)
            .post("/admin/api/automations", json: Installation.automation(key, on: key))
        #expect(created.status == 201, "\(created.text)")
        try await eventually("everything is logged") {
            try await installation.count(
                """
                SELECT count(*) FROM audit.entries
                WHERE convert_from(canonical, 'UTF8')::json ->> 'action' IN ('token.create', 'create', 'run.end')
                  AND convert_from(canonical, 'UTF8') LIKE '%"\(key)"%'
                """
            )
        } until: {
            $0 == 5
        }
    }

    /// The headers tell tenant, lane and numbers of the entries in a message.
    private func expectEnvelope(_ delivery: Delivery) throws {
        let headers = delivery.properties.headers
        let entries = try MonitorReader.lines(of: delivery).map {
            try JSONValue(parsing: Array($0.utf8), limits: .wrapped)
        }
        #expect(headers["x-count"]?.intValue == entries.count)
        for (offset, entry) in entries.enumerated() {
            #expect(entry["tenant"]?.stringValue == headers["x-tenant"]?.stringValue)
            #expect(entry["producer"]?.stringValue == headers["x-producer"]?.stringValue)
            #expect(entry["epoch"]?.int64Value.map(Int.init) == headers["x-epoch"]?.intValue)
            #expect(entry["seq"]?.int64Value.map(Int.init) == headers["x-seq"]?.intValue.map { $0 + offset })
        }
    }

    // MARK: - What it loses

    @Test("a queue that is full loses the oldest, and whoever publishes does not notice")
    func bounds() async throws {
        try await withMonitor("--service", "engine", "--max-messages", "3") { monitor in
            try await change(10)
            // The log has them all, and their lanes are confirmed, while nobody takes them from the queue.
            try await eventually("everything is confirmed") {
                try await installation.count("SELECT count(*) FROM engine.lanes WHERE audit_confirmed < audit_last")
            } until: {
                $0 == 0
            }
            try await eventually("three wait") {
                try await installation.broker.messageCounts()[monitor.queue]
            } until: {
                $0 == 3
            }
            let newest = try await logged(of: Installation.tenant, by: "automation-engine/").suffix(3)
            let reader = try MonitorReader(monitor, installation)
            try await reader.run {
                try await eventually("they have come") { reader.lines.count >= 3 }
            }
            #expect(reader.lines == Array(newest))
        }
        try await withMonitor("--max-bytes", "1048576") { monitor in
            let large = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
            for _ in 0..<30 {
                try await installation.broker.publish(large, to: monitor.queue, properties: [:])
            }
            try await eventually("one MiB waits") {
                try await installation.broker.messageCounts()[monitor.queue]
            } until: {
                $0 == 10
            }
        }
    }

    @Test("a queue that nobody consumes from goes, and the command makes it anew for the same credentials")
    func expiry() async throws {
        let bounds = ["--expires", "5s"]
        try await withMonitor("--expires", "5s") { monitor in
            #expect(try await installation.broker.queueNames().contains(monitor.queue))
            try await eventually("the queue has gone", within: .seconds(60)) {
                try await installation.broker.queueNames()
            } until: {
                !$0.contains(monitor.queue)
            }
            let reader = try MonitorReader(monitor, installation)
            try await reader.run {
                let again = try await command(monitor.name, of: monitor.tenant, bounds)
                #expect(again.status == 0 && !again.output.contains("password"), "\(again.output)")
                try await change(1)
                try await eventually("entries come again") { !reader.lines.isEmpty }
            }
        }
    }

    // MARK: - Running it again

    @Test("run again it narrows what is seen, keeps or changes the password, and refuses other bounds")
    func again() async throws {
        try await withMonitor("--service", "engine", "--service", "gateway") { monitor in
            let (name, tenant) = (monitor.name, monitor.tenant)
            #expect(try await bindings(of: monitor) == ["\(tenant).engine", "\(tenant).gateway"])
            let narrowed = try await command(name, of: tenant, ["--service", "engine"])
            #expect(narrowed.status == 0 && narrowed.output.contains("it sees \(tenant).engine;"), "\(narrowed.output)")
            #expect(try await bindings(of: monitor) == ["\(tenant).engine"])
            #expect(try await isServed(monitor))

            let other = try await command(name, of: tenant, ["--max-messages", "5"])
            #expect(other.status == 1 && other.output.contains("--remove"), "\(other.output)")
            #expect(try await bindings(of: monitor) == ["\(tenant).engine"])

            let renewed = try await command(name, of: tenant, ["--new-password"])
            var holder = monitor
            #expect(try await !isServed(holder))
            holder.password = try #require(renewed.output.split(separator: "\n").last.map(String.init))
            #expect(try await isServed(holder))

            let file = Command.temporaryURL("password")
            defer { try? FileManager.default.removeItem(at: file) }
            let named = try await command(name, of: tenant, ["--password-file", file.path])
            #expect(named.status == 0, "\(named.output)")
            holder.password = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .newlines)
            #expect(!named.output.contains(holder.password))
            #expect(try await isServed(holder))

            let removed = try await command(name, of: tenant, ["--remove"])
            #expect(removed.status == 0 && removed.output.contains("are gone"), "\(removed.output)")
            #expect(try await !installation.broker.queueNames().contains(monitor.queue))
            #expect(try await !installation.broker.control(["list_users"]).contains(monitor.user))
            #expect(try await command(name, of: tenant, ["--remove"]) == removed)
        }
    }

    /// The keys of a queue's bindings to the exchange of the entries.
    private func bindings(of monitor: Monitor) async throws -> [String] {
        let printed = try await installation.broker.control(
            ["list_bindings", "-p", installation.broker.virtualHost, "source_name", "destination_name", "routing_key"]
        )
        let rows = printed.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        let own = rows.filter { $0.count == 3 && $0[0] == "batuta.audit" && $0[1] == monitor.queue }
        return own.map { $0[2] }.sorted()
    }

    /// Whether the broker lets a monitor consume its queue; false where it does not take the credentials.
    private func isServed(_ monitor: Monitor) async throws -> Bool {
        let refusal = try await refusal(consuming: monitor.queue, as: monitor)
        #expect(refusal == nil || refusal?.code == .authenticationFailed, "\(String(describing: refusal))")
        return refusal == nil
    }
}
