import TestSupport
import Testing

@Suite("Addresses of the servers")
struct TestServersTests {
    private let variables = [
        "BATUTA_TEST_POSTGRES": "postgres://a", "BATUTA_TEST_RABBITMQ": "amqp://b",
        "BATUTA_TEST_RABBITMQ_MANAGEMENT": "http://c", "BATUTA_TEST_RABBITMQ_CTL": "d",
        "BATUTA_TEST_SERVERS": "e", "BATUTA_TEST_SERVERS_COMMAND": "f",
    ]

    @Test("every address is read from its variable")
    func complete() throws {
        let servers = try #require(TestServers(environment: variables))
        #expect(servers.postgres == "postgres://a")
        #expect(servers.rabbitMQ == "amqp://b")
        #expect(servers.rabbitMQManagement == "http://c")
        #expect(servers.rabbitMQControl == "d")
        #expect(servers.directory == "e")
        #expect(servers.command == "f")
    }

    @Test("an environment that lacks one address has no servers")
    func incomplete() {
        for name in variables.keys {
            #expect(TestServers(environment: variables.filter { $0.key != name }) == nil, "without \(name)")
        }
    }
}
