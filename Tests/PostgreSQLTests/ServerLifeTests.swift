import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import PostgreSQL

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.skipped))
struct ServerLifeTests {
    private func isRunning(_ mark: String, _ client: PostgresClient) async throws -> Bool {
        let rows = try await client.execute(
            PostgresStatement(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || $1 AND pid <> pg_backend_pid()",
                [.text(mark)]
            )
        )
        return !rows.isEmpty
    }

    private func ping(_ client: PostgresClient) async throws {
        let rows = try await client.execute(PostgresStatement("SELECT 1"))
        #expect(rows.count == 1)
    }

    @Test func aDeadlineStopsTheServer() async throws {
        let mark = TestDatabase.uniqueName()
        try await TestDatabase.withClient { client in
            try await ping(client)
            let started = ContinuousClock.now
            let error = await TestDatabase.error {
                try await client.execute(
                    PostgresStatement("SELECT pg_sleep(60) -- \(mark)"),
                    deadline: .now.advanced(by: .milliseconds(300))
                )
            }
            #expect(error?.code == .deadlineExceeded && error?.isRetryable == false)
            #expect((error?.cause as? PostgresError)?.sqlState == "57014")
            #expect(started.duration(to: .now) < .seconds(20))
            let isRunning = try await isRunning(mark, client)
            #expect(!isRunning)
        }
    }

    @Test func aCancelledTaskStopsTheServer() async throws {
        let mark = TestDatabase.uniqueName()
        try await TestDatabase.withClient { client in
            let task = Task {
                await TestDatabase.error {
                    try await client.execute(PostgresStatement("SELECT pg_sleep(60) -- \(mark)"))
                }
            }
            try await TestDatabase.eventually("the statement runs") { try await isRunning(mark, client) }
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            #expect(try await !isRunning(mark, client))
            let already = Task {
                await TestDatabase.error {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await client.execute(PostgresStatement("SELECT 1"))
                }
            }
            #expect(await already.value?.code == .cancelled)
        }
    }

    @Test func aCancelledTransactionIsUndoneAndItsConnectionClean() async throws {
        let mark = TestDatabase.uniqueName()
        try await TestDatabase.configured({ $0.pool.maximum = 2 }).withClient { client in
            let task = Task {
                await TestDatabase.error {
                    try await client.withTransaction { transaction in
                        try await transaction.execute(PostgresStatement("SELECT 1"))
                        try await transaction.execute(PostgresStatement("SELECT pg_sleep(60) -- \(mark)"))
                    }
                }
            }
            try await TestDatabase.eventually("the statement runs") { try await isRunning(mark, client) }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            for _ in 0..<10 { try await ping(client) }
        }
    }

    @Test func thePoolIsBoundedAndWaitingHasALimit() async throws {
        try await TestDatabase.configured({
            $0.pool.maximum = 1
            $0.pool.waitLimit = .milliseconds(100)
            $0.pool.maximumWaiters = 1
        }).withClient { client in
            try await TestDatabase.eventually("the first connection is there") {
                await TestDatabase.error { try await client.execute(PostgresStatement("SELECT 1")) } == nil
            }
            try await client.withConnection { connection in
                try await connection.execute(PostgresStatement("SELECT 1"))
                let late = await TestDatabase.error { try await client.execute(PostgresStatement("SELECT 1")) }
                #expect(late?.code == .poolExhausted && late?.isRetryable == true)
                let deadline = await TestDatabase.error {
                    try await client.execute(
                        PostgresStatement("SELECT 1"),
                        deadline: .now.advanced(by: .milliseconds(10))
                    )
                }
                #expect(deadline?.code == .deadlineExceeded)
            }
            try await ping(client)
        }
    }

    @Test func callsBeforeTheClientRunsWaitAndGiveUp() async throws {
        var configuration = try TestDatabase.configuration()
        configuration.pool.waitLimit = .milliseconds(50)
        let client = PostgresClient(configuration: configuration, logger: Logger(label: "test"))
        let error = await TestDatabase.error { try await client.execute(PostgresStatement("SELECT 1")) }
        #expect(error?.code == .poolExhausted)
    }

    @Test func aTerminatedConnectionIsReplaced() async throws {
        try await TestDatabase.withClient { client in
            try await client.withConnection { connection in
                let pid = try #require(
                    try await connection.execute(PostgresStatement("SELECT pg_backend_pid()")).first
                ).decode(0, as: Int.self)
                async let sleeping = TestDatabase.error {
                    try await connection.execute(PostgresStatement("SELECT pg_sleep(60) -- \(pid)"))
                }
                try await TestDatabase.eventually("the statement runs") { try await isRunning("\(pid)", client) }
                try await client.execute(PostgresStatement("SELECT pg_terminate_backend($1::int4)", [.int(pid)]))
                let error = await sleeping
                #expect(error?.sqlState == "57P01" && error?.isRetryable == true)
                let next = await TestDatabase.error { try await connection.execute(PostgresStatement("SELECT 1")) }
                #expect(next?.code == .connectionLost)
            }
            try await ping(client)
        }
    }

    @Test func idleConnectionsThatDieAreNoticed() async throws {
        try await TestDatabase.configured({ $0.pool.maximum = 2 }).withClient { client in
            let pid = try #require(try await client.execute(PostgresStatement("SELECT pg_backend_pid()")).first)
                .decode(0, as: Int.self)
            try await TestDatabase.withClient { other in
                try await other.execute(PostgresStatement("SELECT pg_terminate_backend($1::int4)", [.int(pid)]))
            }
            try await TestDatabase.eventually("another connection serves") {
                do {
                    let row = try #require(try await client.execute(PostgresStatement("SELECT pg_backend_pid()")).first)
                    return try row.decode(0, as: Int.self) != pid
                } catch let error as PostgresError {
                    // Between the death and its discovery a statement may be lost; never wrongly, though.
                    #expect(error.code == .connectionLost || error.code == .commitOutcomeUnknown || error.isRetryable)
                    return false
                }
            }
        }
    }

    @Test func manyTasksShareFewConnections() async throws {
        let table = TestDatabase.uniqueName()
        try await TestDatabase.configured({
            $0.pool.maximum = 8
            $0.pool.waitLimit = .seconds(60)
        }).withClient { client in
            try await client.execute(.simple("CREATE TABLE \(table) (id int8 PRIMARY KEY)"))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for id in 0..<500 {
                    group.addTask {
                        try await client.pipeline([
                            PostgresStatement("INSERT INTO \(table) VALUES ($1)", [.int(id)]),
                            PostgresStatement("SELECT id FROM \(table) WHERE id = $1", [.int(id)]),
                        ]).last?.first?.decode(0) ?? -1
                    }
                }
                var sum = 0
                for try await id in group { sum += id }
                #expect(sum == 500 * 499 / 2)
            }
            let counts = try #require(
                try await client.execute(
                    PostgresStatement(
                        """
                        SELECT (SELECT count(*) FROM \(table)),
                            (SELECT count(*) FROM pg_stat_activity
                             WHERE application_name = current_setting('application_name'))
                        """
                    )
                ).first
            )
            #expect(try counts.decode(0, as: Int.self) == 500)
            #expect(try counts.decode(1, as: Int.self) <= 8)
            try await client.execute(.simple("DROP TABLE \(table)"))
        }
    }

    @Test func randomCancellationsLeaveNothingBehind() async throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SplitMix(state: seed)
        let delays = (0..<200).map { _ in Int.random(in: 0...3000, using: &random) }
        try await TestDatabase.configured({ $0.pool.waitLimit = .seconds(60) }).withClient { client in
            await withTaskGroup(of: PostgresError?.self) { group in
                for delay in delays {
                    group.addTask {
                        await TestDatabase.error {
                            try await client.execute(
                                PostgresStatement("SELECT pg_sleep(0.001)"),
                                deadline: .now.advanced(by: .microseconds(delay * 10))
                            )
                        }
                    }
                }
                for await error in group where error != nil {
                    #expect(error?.code == .deadlineExceeded, "seed \(seed): \(String(describing: error))")
                }
            }
            // A stray cancel request would hit one of these.
            for _ in 0..<50 { try await ping(client) }
        }
    }

    @Test func aGracefulShutdownWaitsForWhatIsHeld() async throws {
        let client = PostgresClient(configuration: try TestDatabase.configuration(), logger: Logger(label: "test"))
        let isReturned = Flag()
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await client.run()
                    #expect(isReturned.isSet)
                }
                try await client.withConnection { connection in
                    try await connection.execute(PostgresStatement("SELECT 1"))
                    trigger.triggerGracefulShutdown()
                    try await TestDatabase.eventually("new calls are refused") {
                        await TestDatabase.error { try await client.execute(PostgresStatement("SELECT 1")) }?.code
                            == .shutdown
                    }
                    try await connection.execute(PostgresStatement("SELECT 2"))
                    isReturned.set()
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aDeadHostIsSkippedAndAReadOnlyOneRefused() async throws {
        try await TestDatabase.configured({
            $0.hosts.insert(.init("127.0.0.1", port: 1), at: 0)
            $0.targetSessionAttributes = .readWrite
        }).withClient { client in
            try await ping(client)
        }
        try await TestDatabase.configured({
            $0.sessionSettings["default_transaction_read_only"] = "on"
            $0.targetSessionAttributes = .readWrite
            $0.pool.waitLimit = .milliseconds(500)
        }).withClient { client in
            let error = await TestDatabase.error { try await client.execute(PostgresStatement("SELECT 1")) }
            #expect(error?.code == .connectionFailed && error?.isRetryable == true)
            #expect(error?.message.contains("read-only") == true)
        }
    }

    @Test func aServerThatTurnedReadOnlyLosesItsConnection() async throws {
        try await TestDatabase.configured({
            $0.sessionSettings["default_transaction_read_only"] = "on"
            $0.pool.maximum = 1
        }).withClient { client in
            let pid: () async throws -> Int = {
                try #require(try await client.execute(PostgresStatement("SELECT pg_backend_pid()")).first).decode(0)
            }
            let before = try await pid()
            let error = await TestDatabase.error { try await client.execute(.simple("CREATE TABLE never (a int)")) }
            #expect(error?.isReadOnly == true && error?.isRetryable == true)
            let after = try await pid()
            #expect(after != before)
        }
    }
}
