import OutboundHTTP
import Testing

/// One way to write a place where no request may go.
struct ForbiddenTarget: Sendable, CustomTestStringConvertible {
    let url: String
    let code: OutboundError.Code
    /// What the message must say.
    let hint: String
    /// What the name in the URL resolves to.
    let addresses: [String]

    init(_ url: String, _ code: OutboundError.Code, _ hint: String, _ addresses: String...) {
        self.url = url
        self.code = code
        self.hint = hint
        self.addresses = addresses
    }

    var testDescription: String { url }

    static let all = spellings + addresses4 + addresses6 + carriers + names + forms

    /// Spellings of loopback and of the metadata service that some parser or other understands.
    private static let spellings = [
        "http://0x7f000001/", "http://0X7F000001/", "http://2130706433/", "http://017700000001/", "http://127.1/",
        "http://127.0.1/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://127.0.0.01/",
        "http://127.0.0.1.5/", "http://127.000.000.001/", "http://00/", "http://0/", "http://256.256.256.256/",
        "http://4294967296/", "http://0xa9fea9fe/", "http://2852039166/", "http://0251.0376.0251.0376/",
        "http://169.254.43518/", "http://1.2.3/", "http://example.0x7f/", "http://example.1/", "http://1..1/",
    ].map { ForbiddenTarget($0, .invalidURL, "ambiguous") }

    private static let addresses4 = [
        ForbiddenTarget("http://127.0.0.1/", .addressRefused, "loopback (127.0.0.0/8)"),
        ForbiddenTarget("http://127.255.255.254:8080/", .addressRefused, "loopback"),
        ForbiddenTarget("http://0.0.0.0/", .addressRefused, "0.0.0.0/8"),
        ForbiddenTarget("http://10.1.2.3/", .addressRefused, "private (10.0.0.0/8)"),
        ForbiddenTarget("http://172.16.0.1/", .addressRefused, "private (172.16.0.0/12)"),
        ForbiddenTarget("http://172.31.255.255/", .addressRefused, "172.16.0.0/12"),
        ForbiddenTarget("http://192.168.1.1/", .addressRefused, "private (192.168.0.0/16)"),
        ForbiddenTarget("http://169.254.169.254/latest/meta-data/", .addressRefused, "cloud metadata"),
        ForbiddenTarget("http://100.64.0.1/", .addressRefused, "100.64.0.0/10"),
        ForbiddenTarget("http://100.100.100.200/", .addressRefused, "100.64.0.0/10"),
        ForbiddenTarget("http://168.63.129.16/", .addressRefused, "cloud"),
        ForbiddenTarget("http://192.0.0.192/", .addressRefused, "192.0.0.0/24"),
        ForbiddenTarget("http://192.0.2.1/", .addressRefused, "documentation"),
        ForbiddenTarget("http://198.18.0.1/", .addressRefused, "benchmarking"),
        ForbiddenTarget("http://198.19.255.255/", .addressRefused, "benchmarking"),
        ForbiddenTarget("http://198.51.100.1/", .addressRefused, "documentation"),
        ForbiddenTarget("http://203.0.113.1/", .addressRefused, "documentation"),
        ForbiddenTarget("http://192.88.99.1/", .addressRefused, "6to4"),
        ForbiddenTarget("http://224.0.0.1/", .addressRefused, "multicast"),
        ForbiddenTarget("http://240.0.0.1/", .addressRefused, "reserved"),
        ForbiddenTarget("http://255.255.255.255/", .addressRefused, "broadcast"),
    ]

    private static let addresses6 = [
        ForbiddenTarget("http://[::]/", .addressRefused, "unspecified"),
        ForbiddenTarget("http://[::1]/", .addressRefused, "loopback"),
        ForbiddenTarget("http://[0:0:0:0:0:0:0:1]/", .addressRefused, "loopback"),
        ForbiddenTarget("http://[fe80::1]/", .addressRefused, "link-local"),
        ForbiddenTarget("http://[febf::1]/", .addressRefused, "link-local"),
        ForbiddenTarget("http://[fec0::1]/", .addressRefused, "site-local"),
        ForbiddenTarget("http://[fc00::1]/", .addressRefused, "unique local"),
        ForbiddenTarget("http://[fd00:ec2::254]/", .addressRefused, "unique local"),
        ForbiddenTarget("http://[ff02::1]/", .addressRefused, "multicast"),
        ForbiddenTarget("http://[2001:db8::1]/", .addressRefused, "documentation"),
        ForbiddenTarget("http://[3fff::1]/", .addressRefused, "documentation"),
        ForbiddenTarget("http://[100::1]/", .addressRefused, "discarded"),
        ForbiddenTarget("http://[2001:20::1]/", .addressRefused, "2001::/23"),
        ForbiddenTarget("http://[1::1]/", .addressRefused, "not global unicast"),
        ForbiddenTarget("http://[5f00::1]/", .addressRefused, "not global unicast"),
        ForbiddenTarget("http://[e000::1]/", .addressRefused, "not global unicast"),
    ]

    /// IPv6 addresses with an IPv4 address inside.
    private static let carriers = [
        ForbiddenTarget("http://[::ffff:127.0.0.1]/", .addressRefused, "IPv4-mapped"),
        ForbiddenTarget("http://[::ffff:7f00:1]/", .addressRefused, "IPv4-mapped"),
        ForbiddenTarget("http://[0:0:0:0:0:ffff:a9fe:a9fe]/", .addressRefused, "IPv4-mapped"),
        ForbiddenTarget("http://[::ffff:8.8.8.8]/", .addressRefused, "IPv4-mapped"),
        ForbiddenTarget("http://[::127.0.0.1]/", .addressRefused, "IPv4-compatible"),
        ForbiddenTarget("http://[::ffff:0:127.0.0.1]/", .addressRefused, "IPv4-translated"),
        ForbiddenTarget("http://[64:ff9b::a9fe:a9fe]/", .addressRefused, "NAT64"),
        ForbiddenTarget("http://[64:ff9b:1:a9fe:a9:fe00::]/", .addressRefused, "local NAT64"),
        ForbiddenTarget("http://[2002:7f00:1::]/", .addressRefused, "6to4"),
        ForbiddenTarget("http://[2001:0:7f00:1::]/", .addressRefused, "Teredo"),
    ]

    private static let names = [
        ForbiddenTarget("http://localhost/", .addressRefused, "localhost has the address 127.0.0.1", "127.0.0.1"),
        ForbiddenTarget("http://LOCALHOST/", .addressRefused, "localhost has the address ::1", "::1"),
        ForbiddenTarget("http://127.0.0.1.nip.example/", .addressRefused, "loopback", "127.0.0.1"),
        ForbiddenTarget("http://metadata.internal/", .addressRefused, "cloud metadata", "169.254.169.254"),
        ForbiddenTarget("http://mixed.example/", .addressRefused, "10.0.0.7", "93.184.216.34", "10.0.0.7"),
        ForbiddenTarget("http://mixed6.example/", .addressRefused, "fd00::7", "93.184.216.34", "fd00::7"),
        ForbiddenTarget("http://hidden.example/", .addressRefused, "IPv4-mapped", "1.1.1.1", "::ffff:10.0.0.1"),
        ForbiddenTarget("http://nowhere.example/", .nameNotFound, "nowhere.example"),
        ForbiddenTarget("http://mail.example:25/", .portRefused, "Port 25", "93.184.216.34"),
        ForbiddenTarget("https://93.184.216.34:6667/", .portRefused, "Port 6667"),
    ]

    /// What is no URL for us.
    private static let forms = [
        ForbiddenTarget("http://127.0.0.1./", .invalidURL, "dot"),
        ForbiddenTarget("http://localhost./", .invalidURL, "dot"),
        ForbiddenTarget("http://example.com@127.0.0.1/", .invalidURL, "“@”"),
        ForbiddenTarget("http://user:word@example.com/", .invalidURL, "“@”"),
        ForbiddenTarget("http://127.0.0.1:80@example.com/", .invalidURL, "“@”"),
        ForbiddenTarget("http://example.com:80:80/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:0/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:65536/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:080/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:+80/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com:٨٠/", .invalidURL, "port"),
        ForbiddenTarget("http://example.com\\@127.0.0.1/", .invalidURL, "backslash"),
        ForbiddenTarget("http:\\\\127.0.0.1\\", .invalidURL, "backslash"),
        ForbiddenTarget("http:/127.0.0.1/", .invalidURL, "slashes"),
        ForbiddenTarget("http:127.0.0.1", .invalidURL, "slashes"),
        ForbiddenTarget("http:///127.0.0.1/", .invalidURL, "no host"),
        ForbiddenTarget("http://", .invalidURL, "no host"),
        ForbiddenTarget("//127.0.0.1/", .invalidURL, "not absolute"),
        ForbiddenTarget("127.0.0.1", .invalidURL, "not absolute"),
        ForbiddenTarget("file:///etc/passwd", .invalidURL, "http and https"),
        ForbiddenTarget("gopher://127.0.0.1:6379/_INFO", .invalidURL, "http and https"),
        ForbiddenTarget("unix:///run/docker.sock", .invalidURL, "http and https"),
        ForbiddenTarget("http+unix://%2Frun%2Fdocker.sock/info", .invalidURL, "http and https"),
        ForbiddenTarget("ftp://example.com/", .invalidURL, "http and https"),
        ForbiddenTarget("data:text/plain,x", .invalidURL, "http and https"),
        ForbiddenTarget("javascript:alert(1)", .invalidURL, "http and https"),
        ForbiddenTarget(" http://example.com/", .invalidURL, "white space"),
        ForbiddenTarget("http://example.com/\r\nHost: x", .invalidURL, "white space"),
        ForbiddenTarget("http://exa\tmple.com/", .invalidURL, "white space"),
        ForbiddenTarget("http://example.com/\u{0}", .invalidURL, "control character"),
        ForbiddenTarget("http://example.com/\u{7F}", .invalidURL, "control character"),
        ForbiddenTarget("http://exam\u{200B}ple.com/", .invalidURL, "invisible"),
        ForbiddenTarget("http://①②⑦.⓪.⓪.①/", .invalidURL, "ASCII"),
        ForbiddenTarget("http://127。0。0。1/", .invalidURL, "ASCII"),
        ForbiddenTarget("http://lоcalhost/", .invalidURL, "ASCII"),
        ForbiddenTarget("http://[::1%25lo]/", .invalidURL, "zones"),
        ForbiddenTarget("http://[fe80::1%eth0]/", .invalidURL, "zones"),
        ForbiddenTarget("http://[127.0.0.1]/", .invalidURL, "no IPv6 address"),
        ForbiddenTarget("http://[::1/", .invalidURL, "bracket"),
        ForbiddenTarget("http://[::1]x/", .invalidURL, "port"),
        ForbiddenTarget("http://::1/", .invalidURL, "no host"),
        ForbiddenTarget("http://%31%32%37.0.0.1/", .invalidURL, "ambiguous|no valid name"),
        ForbiddenTarget("http://localhost%00.example.com/", .invalidURL, "no valid name"),
        ForbiddenTarget("http://exam_ple.com/", .invalidURL, "no valid name"),
        ForbiddenTarget("http://-example.com/", .invalidURL, "no valid name"),
        ForbiddenTarget("http://a..b/", .invalidURL, "no valid name"),
        ForbiddenTarget("http://example.com/%zz", .invalidURL, "percent"),
        ForbiddenTarget("http://example.com/?a=%2", .invalidURL, "percent"),
        ForbiddenTarget("http://example.com/@\u{301}\\", .invalidURL, "backslash"),
        ForbiddenTarget("", .invalidURL, "empty"),
    ]
}
