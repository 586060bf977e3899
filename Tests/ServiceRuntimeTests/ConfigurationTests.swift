import Glibc
import Testing

@testable import ServiceRuntime

/// The keys that the tests declare, one of each kind.
private enum Keys {
    static let name = ConfigurationKey<String>.string("BATUTA_NAME", default: "anon", help: "A name.")
    static let color = ConfigurationKey<String>.choice(
        "BATUTA_COLOR",
        of: ["red", "green"],
        default: "red",
        help: "A."
    )
    static let count = ConfigurationKey<Int>.int("BATUTA_COUNT", in: 1...100, default: 5, help: "A count.")
    static let flag = ConfigurationKey<Bool>.bool("BATUTA_FLAG", default: false, help: "A flag.")
    static let wait = ConfigurationKey<Duration>.duration("BATUTA_WAIT", default: "30s", help: "A time.")
    static let bounded = ConfigurationKey<Duration>.duration(
        "BATUTA_BOUNDED",
        in: .seconds(1)...(.seconds(60)),
        default: "30s",
        help: "A time."
    )
    static let address = ConfigurationKey<ListenAddress>.address("BATUTA_ADDR", default: "127.0.0.1:80", help: "A.")
    static let url = ConfigurationKey<String>.url("BATUTA_LINK", default: "http://localhost:8080", help: "A URL.")
    static let path = ConfigurationKey<String>.path("BATUTA_FOLDER", default: "/tmp", help: "A path.")
    static let hosts = ConfigurationKey<[String]>.list("BATUTA_HOSTS", of: "hosts", default: [], help: "Hosts.")
    static let secret = ConfigurationKey<RedactedText>.secret("BATUTA_SECRET", minimumBytes: 3, help: "A secret.")
    static let maybe = ConfigurationKey<Int>.int("BATUTA_MAYBE", in: 0...9, help: "Perhaps.").optional
    static let all: [any ConfigurationDeclaration] = [
        name, color, count, flag, wait, bounded, address, url, path, hosts, secret, maybe,
    ]
}

@Suite struct ConfigurationTests {
    private func load(_ environment: [String: String]) throws(ConfigurationError) -> ServiceConfiguration {
        try ConfigurationSchema(Keys.all).load(environment.merging(["BATUTA_SECRET": "s3cret"]) { own, _ in own })
    }

    @Test func defaultsCountWhereNothingIsSetOrEmpty() throws {
        for environment in [[:], Dictionary(uniqueKeysWithValues: Keys.all.dropLast(2).map { ($0.name, "") })] {
            let values = try load(environment)
            #expect(values[Keys.name] == "anon")
            #expect(values[Keys.count] == 5)
            #expect(values[Keys.flag] == false)
            #expect(values[Keys.wait] == .seconds(30))
            #expect(values[Keys.address] == ListenAddress(host: "127.0.0.1", port: 80))
            #expect(values[Keys.hosts] == [])
            #expect(values[Keys.maybe] == nil)
            #expect(values[Keys.secret].reveal() == "s3cret")
        }
    }

    @Test func valuesOfEveryKindAreRead() throws {
        let values = try load([
            "BATUTA_NAME": "Ana, María", "BATUTA_COLOR": "green", "BATUTA_COUNT": "100", "BATUTA_FLAG": "YES",
            "BATUTA_WAIT": "1500ms", "BATUTA_ADDR": "[::1]:0", "BATUTA_LINK": "https://u:p@example.org/x",
            "BATUTA_FOLDER": "/a b", "BATUTA_HOSTS": "a, b\t,c ", "BATUTA_MAYBE": "7",
        ])
        #expect(values[Keys.name] == "Ana, María")
        #expect(values[Keys.color] == "green")
        #expect(values[Keys.count] == 100)
        #expect(values[Keys.flag])
        #expect(values[Keys.wait] == .milliseconds(1500))
        #expect(values[Keys.address] == ListenAddress(host: "::1", port: 0))
        #expect(values[Keys.url] == "https://u:p@example.org/x")
        #expect(values[Keys.path] == "/a b")
        #expect(values[Keys.hosts] == ["a", "b", "c"])
        #expect(values[Keys.maybe] == 7)
    }

    @Test(arguments: [
        ("BATUTA_COLOR", "blue", #"BATUTA_COLOR="blue" is none of its words; it takes one of red, green."#),
        ("BATUTA_COUNT", "0", #"BATUTA_COUNT="0" is out of bounds; it takes a whole number from 1 to 100."#),
        ("BATUTA_COUNT", "five", #"BATUTA_COUNT="five" is no whole number; it takes a whole number from 1 to 100."#),
        ("BATUTA_COUNT", "+5", #"BATUTA_COUNT="+5" is no whole number; it takes a whole number from 1 to 100."#),
        (
            "BATUTA_FLAG", "maybe",
            #"BATUTA_FLAG="maybe" is neither yes nor no; it takes 1, true, yes, on or 0, false, no, off."#
        ),
        (
            "BATUTA_WAIT", "30",
            #"BATUTA_WAIT="30" is no length of time; it takes a whole number followed by ms, s, m, h or d, "#
                + "such as 30s."
        ),
        (
            "BATUTA_LINK", "ftp://user:hunter2@host",
            "BATUTA_LINK has another scheme; it takes a URL that begins with http:// or https://."
        ),
        ("BATUTA_SECRET", "ab", "BATUTA_SECRET is too short; it takes a secret of at least 3 bytes."),
        ("BATUTA_HOSTS", "a,,b", #"BATUTA_HOSTS="a,,b" has an empty element; it takes hosts separated by commas."#),
    ])
    func aBadValueIsASentence(name: String, text: String, sentence: String) {
        let error = #expect(throws: ConfigurationError.self) { try load([name: text]) }
        #expect(error?.faults.map(\.sentence) == [sentence])
        #expect(error?.faults.map(\.code) == [.invalid])
    }

    @Test func allFaultsAreCollected() {
        let error = #expect(throws: ConfigurationError.self) {
            try load(["BATUTA_COUNT": "x", "BATUTA_FLAG": "x", "BATUTA_SECRET": "", "BATUTA_MAYBE": "10"])
        }
        #expect(
            error?.faults.map(\.name) == ["BATUTA_COUNT", "BATUTA_FLAG", "BATUTA_SECRET", "BATUTA_MAYBE"]
        )
        #expect(error?.faults.map(\.code) == [.invalid, .invalid, .missing, .invalid])
        #expect(error?.description.split(separator: "\n").count == 4)
        #expect(
            error?.faults[2].sentence == "BATUTA_SECRET is not set; it takes a secret of at least 3 bytes, "
                + "or BATUTA_SECRET_FILE with the path of a file."
        )
    }

    @Test(arguments: [
        ("0ms", Duration.zero), ("1ms", .milliseconds(1)), ("30s", .seconds(30)), ("5m", .seconds(300)),
        ("2h", .seconds(7200)), ("1d", .seconds(86_400)), ("007s", .seconds(7)),
    ])
    func durationsAreRead(text: String, duration: Duration) {
        #expect(ValueText.duration(text) == duration)
    }

    @Test(arguments: [
        "", "s", "30", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1w", "1sm", "٣s", "99999999999999999999s",
        "9223372036854775807d",
    ])
    func otherTextsAreNoDurations(text: String) {
        #expect(ValueText.duration(text) == nil)
    }

    @Test(arguments: [
        ("localhost:9101", "localhost", 9101), ("0.0.0.0:0", "0.0.0.0", 0), ("[::]:65535", "::", 65_535),
    ])
    func addressesAreRead(text: String, host: String, port: Int) {
        let address = ListenAddress(text)
        #expect(address?.host == host)
        #expect(address?.port == port)
        #expect(address?.description == text)
    }

    @Test(arguments: ["", ":80", "host", "host:", "host:65536", "host:-1", "::1:80", "[::1]", "[a]:1", "a b:1", "h/:1"])
    func otherTextsAreNoAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(arguments: [
        ("postgresql:///db?host=/run", true), ("postgres://u:p@h1:1,h2:2/db", true), ("postgresql://h:5432/db", true),
        ("postgresql://[::1]:5432/db", true), ("postgresql://h:x/db", false), ("mysql://h/db", false),
        ("postgresql:db", false), ("postgresql://h /db", false), ("h", false),
    ])
    func databaseURLs(text: String, isAccepted: Bool) {
        let accepts = (try? CommonKeys.databaseURL.interpret(text)) != nil
        #expect(accepts == isAccepted)
    }

    @Test(arguments: [("amqp://guest:guest@localhost:5672/v", true), ("amqps://h", true), ("amqp:///v", false)])
    func brokerURLs(text: String, isAccepted: Bool) {
        let accepts = (try? CommonKeys.brokerURL.interpret(text)) != nil
        #expect(accepts == isAccepted)
    }
}

@Suite struct SecretConfigurationTests {
    /// A file that is removed with the test.
    private final class TemporaryFile {
        let path: String

        init(_ bytes: [UInt8]) throws {
            var template = Array("/tmp/batuta-test-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            try #require(descriptor >= 0)
            path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
        }

        deinit { unlink(path) }
    }

    private let schema = ConfigurationSchema([Keys.secret])

    @Test(arguments: [
        ("hunter2\n", "hunter2"), ("hunter2\r\n", "hunter2"), ("hunter2", "hunter2"), (" a \n\n", " a \n"),
    ])
    func aSecretIsReadFromAFileWithoutItsLastNewline(content: String, secret: String) throws {
        let file = try TemporaryFile(Array(content.utf8))
        let values = try schema.load(["BATUTA_SECRET_FILE": file.path])
        #expect(values[Keys.secret].reveal() == secret)
        #expect(values.entries == [.init(name: "BATUTA_SECRET", shown: "[redacted]", origin: .file)])
    }

    @Test func bothAreAFault() {
        let error = #expect(throws: ConfigurationError.self) {
            try schema.load(["BATUTA_SECRET": "hunter2", "BATUTA_SECRET_FILE": "/nowhere"])
        }
        #expect(error?.faults.map(\.code) == [.ambiguous])
        #expect(error?.description == "BATUTA_SECRET and BATUTA_SECRET_FILE are both set; set one of them.")
    }

    @Test func aFileThatCannotBeUsedIsAFault() throws {
        let empty = try TemporaryFile([0x0A])
        let binary = try TemporaryFile([0xFF, 0xFE, 0x00])
        let long = try TemporaryFile([UInt8](repeating: 0x61, count: SecretFiles.greatestSize + 1))
        let table = [
            ("/nowhere/at/all", "no such file"), (empty.path, "is empty"), (binary.path, "holds no text"),
            (long.path, "is longer than"), ("/tmp", "it is a folder"),
        ]
        for (path, reason) in table {
            let error = #expect(throws: ConfigurationError.self) { try schema.load(["BATUTA_SECRET_FILE": path]) }
            #expect(error?.faults.map(\.code) == [.unreadable])
            #expect(error?.description.contains(reason) == true, "\(path)")
        }
    }

    @Test func noTextShowsASecret() throws {
        let secret = RedactedText("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        let values = try schema.load(["BATUTA_SECRET": "hunter2"])
        let texts = [
            "\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)",
            "\(values.entries)", "\(values.metadata)", "\(values)",
        ]
        for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        #expect("\(secret)" == "[redacted]")
    }
}

@Suite struct ConfigurationNamesTests {
    private let schema = ServiceDefinition(
        .workerAgent,
        needs: [],
        keys: [Keys.secret, Keys.count],
        alsoKnown: ["BATUTA_HTTP_*"]
    ).schema

    @Test func unknownNamesAreWarnedOfWithTheNearestKnownOne() {
        let warnings = schema.warnings(for: [
            "BATUTA_DRAIN_TIMOUT": "1s", "BATUTA_SECERT_FILE": "x", "BATUTA_COUTN": "1", "PATH": "x",
        ])
        #expect(
            warnings == [
                "BATUTA_COUTN is not known and has no effect; the nearest known name is BATUTA_COUNT.",
                "BATUTA_DRAIN_TIMOUT is not known and has no effect; the nearest known name is BATUTA_DRAIN_TIMEOUT.",
                "BATUTA_SECERT_FILE is not known and has no effect; the nearest known name is BATUTA_SECRET_FILE.",
            ]
        )
    }

    @Test(arguments: [
        "BATUTA_URL", "BATUTA_TOKEN", "BATUTA_CASES", "BATUTA_TEST_DATABASE_URL", "BATUTA_CRASH_AT",
        "BATUTA_ALLOW_FAULTS", "BATUTA_DATABASE_URL", "BATUTA_BROKER_URL_FILE", "BATUTA_HTTP_ALLOW", "BATUTA_SECRET",
        "BATUTA_SECRET_FILE", "BATUTA_LOG_LEVEL", "HOME",
    ])
    func knownNamesAreNotWarnedOf(name: String) {
        #expect(schema.warnings(for: [name: "x"]) == [])
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abc", "abc", 0), ("ca", "abc", 3),
    ])
    func editDistances(first: String, second: String, distance: Int) {
        #expect(EditDistance.distance(first, second) == distance)
        #expect(EditDistance.distance(second, first) == distance)
    }

    @Test func theListingNamesEveryKey() {
        let listing = schema.listing()
        for key in schema.keys { #expect(listing.contains("  \(key.name) (\(key.kind))\n      \(key.help)\n")) }
        #expect(listing.contains("a whole number from 1 to 100; default 5"))
        #expect(listing.contains("a secret of at least 3 bytes; required; or BATUTA_SECRET_FILE"))
    }

    @Test(arguments: [
        ("Web-1.Example.ORG", "web-1.example.org"), ("my_host", "my-host"), ("--x", "x"), ("", "localhost"),
        ("ñandú", "and--"), (String(repeating: "a", count: 80), String(repeating: "a", count: 63)),
    ])
    func hostNamesBecomeReplicaNames(hostName: String, name: String) {
        #expect(ReplicaName.sanitized(hostName) == name)
        #expect(ReplicaName.isValid(name))
    }

    @Test(arguments: ["", "-a", ".a", "A", "a_b", "a b", String(repeating: "a", count: 64)])
    func otherNamesAreNoReplicas(name: String) {
        #expect(!ReplicaName.isValid(name))
        #expect(ReplicaName.isValid(ReplicaName.ofThisHost()))
    }

    @Test func theServicesHavePortsOfTheirOwn() throws {
        let identities: [ServiceIdentity] = [
            .apiGateway, .automationEngine, .scheduler, .jobController, .auditWriter, .workerAgent,
        ]
        #expect(identities.map(\.metricsPort) == [9101, 9102, 9103, 9104, 9105, 9106])
        for identity in identities {
            let definition = ServiceDefinition(identity, needs: [])
            let values = try definition.schema.load([:])
            #expect(values[definition.metricsAddress].description == "127.0.0.1:\(identity.metricsPort)")
            #expect(values[CommonKeys.drainTimeout] == .seconds(30))
            #expect(values[CommonKeys.logLevel] == "info")
        }
    }
}
