import Testing

@testable import RabbitMQ

@Suite("The configuration")
struct ConfigurationTests {
    @Test("reads hosts, ports, credentials and vhost from a URL")
    func url() throws {
        let full = try RabbitMQConfiguration(url: "amqp://us%40er:p%3Aw:x@one:1234,[::1]:5,three/a%2Fb")
        #expect(full.endpoints.map(\.description) == ["one:1234", "[::1]:5", "three:5672"])
        #expect(full.user == "us@er" && full.password == "p:w:x" && full.virtualHost == "a/b")
        #expect(full.tls == .disabled)
        let short = try RabbitMQConfiguration(url: "amqps://host?cacertfile=ca.pem")
        #expect(short.endpoints == [.init(host: "host", port: 5671)])
        #expect(short.user == "guest" && short.virtualHost == "/" && short.tls == .verify(caFile: "ca.pem"))
        #expect(try RabbitMQConfiguration(url: "amqp://h/").virtualHost == "/")
        let own = try RabbitMQConfiguration(url: "amqps://h:1/v?cacertfile=%2Fa%20b.pem&certfile=/c&keyfile=/k")
        #expect(own.virtualHost == "v")
        #expect(
            own.tls
                == .verify(caFile: "/a b.pem", clientCertificate: .init(certificateFile: "/c", keyFile: "/k"))
        )
    }

    @Test(
        "refuses URLs that are not valid, without repeating the secret",
        arguments: [
            "", "http://u:geheim@h", "amqp://", "amqp://u:geheim@", "amqp://u:geheim@h:0", "amqp://u:geheim@h:65536",
            "amqp://u:geheim@h:x", "amqp://u:geheim@h:+5", "amqp://u:geheim@h,,k", "amqp://u:geheim%2@h",
            "amqp://u:geheim%ff@h", "amqp://u:geheim@h/a/b", "amqp://u:geheim@h/v?x=1", "amqp://u:geheim@[::1",
            "amqp://u:geheim@[::1]x", "amqps://u:geheim@h", "amqp://u:geheim%00@h",
            "amqp://u:geheim@h/v?cacertfile=a", "amqps://u:geheim@h?cacertfile=", "amqps://u:geheim@h?cacertfile",
            "amqps://u:geheim@h?cacertfile=a&cacertfile=b", "amqps://u:geheim@h?cacertfile=a&certfile=b",
            "amqps://u:geheim@h?cacertfile=a&keyfile=b", "amqps://u:geheim@h?cacertfile=a&verify=none",
        ]
    )
    func invalidURL(url: String) throws {
        let error = #expect(throws: RabbitMQError.self) { try RabbitMQConfiguration(url: url) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("geheim") == false)
    }

    @Test("refuses limits that make no sense")
    func limits() throws {
        let good = try RabbitMQConfiguration(url: "amqp://h")
        var window = good
        window.maximumOutstanding = 0
        var heartbeat = good
        heartbeat.heartbeat = .zero
        var timeout = good
        timeout.rpcTimeout = .zero
        for bad in [window, heartbeat, timeout] {
            #expect(throws: RabbitMQError.self) { try bad.validate() }
        }
        try good.validate()
    }

    @Test("declares queues with the broker's names for their properties")
    func queues() {
        let quorum = QueueDeclaration.quorum("q", deliveryLimit: 50, isSingleActiveConsumer: true)
        #expect(
            quorum.arguments == [
                "x-queue-type": "quorum", "x-delivery-limit": 50, "x-single-active-consumer": true,
            ]
        )
        #expect(quorum.isDurable && !quorum.isExclusive)
        let events = QueueDeclaration.exclusive(maximumLength: 10, overflow: .dropHead)
        #expect(events.arguments == ["x-max-length": 10, "x-overflow": "drop-head"] && events.isExclusive)
        #expect(QueueDeclaration.autoDelete("r", expires: .seconds(2)).arguments == ["x-expires": 2000])
    }
}
