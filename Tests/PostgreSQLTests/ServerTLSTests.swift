import FoundationEssentials
import Glibc
import Testing

@testable import PostgreSQL

/// Gives the server a certificate of an authority made for the test, and takes it away again.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.skipped), .serialized)
struct ServerTLSTests {
    private struct Authority {
        let folder: String
        var caFile: String { folder + "/ca.pem" }
        var otherCAFile: String { folder + "/other.pem" }
        var certificate: String { folder + "/server.pem" }
        var key: String { folder + "/server.key" }
    }

    /// Makes two authorities and a certificate of the first for `localhost`.
    private func makeAuthority() throws -> Authority {
        let folder = FileManager.default.temporaryDirectory.path + "/tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        let script = """
            cd '\(folder)' &&
            openssl req -x509 \(curve) -keyout ca.key -out ca.pem -days 2 -subj /CN=one &&
            openssl req -x509 \(curve) -keyout other.key -out other.pem -days 2 -subj /CN=other &&
            openssl req \(curve) -keyout server.key -out server.csr -subj /CN=localhost &&
            printf 'subjectAltName=DNS:localhost' > san &&
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem
            """
        let pipe = try #require(popen("(\(script)) 2>&1", "r"))
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), pipe) != nil {}
        try #require(pclose(pipe) == 0, "openssl made no certificates")
        return Authority(folder: folder)
    }

    /// Writes a file into the server's data folder, through the server, so that it owns the file.
    private func upload(_ file: String, as name: String, _ client: PostgresClient) async throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try await client.execute(
            .simple(
                """
                COPY (SELECT unnest(string_to_array(trim(E'\\n' FROM $pem$\(text)$pem$), E'\\n')))
                TO PROGRAM 'umask 077; cat > \(name)'
                """
            )
        )
    }

    private func withTLSServer(_ body: (Authority) async throws -> Void) async throws {
        let authority = try makeAuthority()
        try await TestDatabase.withClient { client in
            try await upload(authority.certificate, as: "test-server.pem", client)
            try await upload(authority.key, as: "test-server.key", client)
            for setting in ["ssl_cert_file = 'test-server.pem'", "ssl_key_file = 'test-server.key'", "ssl = on"] {
                try await client.execute(.simple("ALTER SYSTEM SET \(setting)"))
            }
            try await client.execute(.simple("SELECT pg_reload_conf()"))
            try await TestDatabase.eventually("the server speaks TLS") {
                let row = try #require(try await client.execute(PostgresStatement("SHOW ssl")).first)
                return try row.decode(0, as: String.self) == "on"
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(authority)) } catch { result = .failure(error) }
            for setting in ["ssl", "ssl_cert_file", "ssl_key_file"] {
                try await client.execute(.simple("ALTER SYSTEM RESET \(setting)"))
            }
            try await client.execute(.simple("SELECT pg_reload_conf()"))
            try FileManager.default.removeItem(atPath: authority.folder)
            try result.get()
        }
    }

    private func connect(to host: String, trusting caFile: String) async throws -> PostgresError? {
        try await TestDatabase.configured({
            $0.hosts[0].name = host
            $0.tls = .verifyFull(caFile: caFile)
            $0.pool.waitLimit = .seconds(2)
        }).withClient { client in
            await TestDatabase.error {
                let statement = PostgresStatement("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                let row = try #require(try await client.execute(statement).first)
                #expect(try row.decode(0, as: Bool.self))
            }
        }
    }

    @Test func onlyTheRightNameFromTheRightAuthorityIsAccepted() async throws {
        try await withTLSServer { authority in
            // A server reads its settings a moment after it was told to, so the first attempts may come too early.
            try await TestDatabase.eventually("the right certificate is accepted") {
                try await connect(to: "localhost", trusting: authority.caFile) == nil
            }
            let wrongName = try await connect(to: "127.0.0.1", trusting: authority.caFile)
            #expect(wrongName?.code == .tls && wrongName?.isRetryable == false)
            let unknownAuthority = try await connect(to: "localhost", trusting: authority.otherCAFile)
            #expect(unknownAuthority?.code == .tls)
            let noAuthority = try await connect(to: "localhost", trusting: authority.folder + "/none.pem")
            #expect(noAuthority?.code == .tls)
        }
    }
}
