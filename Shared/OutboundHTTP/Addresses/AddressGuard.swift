/// Tells which addresses are no place for a request that somebody else wrote.
///
/// Everything that the registries of special-purpose addresses (RFC 6890; IANA) name is blocked, and of IPv6 all that is
/// not global unicast. An address that carries an IPv4 address inside is blocked for what it is; who allows it still has
/// to allow the one inside.
package enum AddressGuard {
    /// Why an address is blocked.
    package struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The address that lies in the range: the one that was asked for, or the IPv4 address inside it.
        package let address: IPAddress

        /// The range that is blocked.
        package let range: AddressRange

        /// What the range is, such as `loopback`.
        package let reason: String

        package var description: String { "\(address) is \(reason) (\(range))" }
    }

    /// Everything that speaks against an address: the address itself first, then what is embedded in it.
    ///
    /// Empty for an address of the public network.
    package static func findings(for address: IPAddress) -> [Finding] {
        ([address] + embedded(in: address)).compactMap(finding)
    }

    /// The IPv4 addresses that a translator, a tunnel or the system's own stack would take out of an IPv6 address.
    package static func embedded(in address: IPAddress) -> [IPAddress] {
        // `::` and `::1` lie among the IPv4-compatible addresses and carry none.
        guard address.family == .v6, address.value > 1 else { return [] }
        return carriers.flatMap { carrier in
            carrier.range.contains(address) ? carrier.shifts.map { carrier.extract(address.value, $0) } : []
        }
    }

    private static func finding(_ address: IPAddress) -> Finding? {
        let table = address.family == .v4 ? blocked4 : blocked6
        return table.first { $0.range.contains(address) }.map { entry in
            Finding(address: address, range: entry.range, reason: entry.reason)
        }
    }

    private struct Entry: Sendable {
        let range: AddressRange
        let reason: String
    }

    /// A form of IPv6 address that carries IPv4 addresses, each at a distance from the lowest bit.
    private struct Carrier: Sendable {
        let range: AddressRange
        let shifts: [Int]

        /// RFC 6052, section 2.2: with a prefix of 48 bits the address goes around the bits 64 to 71.
        var isSplit = false
        /// RFC 4380, section 4: a Teredo client's address is stored with its bits inverted.
        var hasInvertedLowest = false

        func extract(_ value: UInt128, _ shift: Int) -> IPAddress {
            guard !isSplit else {
                let upper = UInt32(truncatingIfNeeded: value >> 64) << 16
                let lower = UInt32(truncatingIfNeeded: value >> 40) & 0xFFFF
                return IPAddress(v4: upper | lower)
            }
            let plain = UInt32(truncatingIfNeeded: value >> UInt128(shift))
            return IPAddress(v4: hasInvertedLowest && shift == 0 ? ~plain : plain)
        }
    }

    private static func range(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is no range") }
        return range
    }

    private static func entries(_ rows: [(String, String)]) -> [Entry] {
        rows.map { Entry(range: range($0.0), reason: $0.1) }
    }

    private static let blocked4 = entries([
        ("0.0.0.0/8", "“this” network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "the platform service of a cloud"),
        ("169.254.0.0/16", "link-local (cloud metadata)"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
    ])

    private static let blocked6 = entries([
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::ffff:0:0:0/96", "IPv4-translated"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discarded"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "unique local (private)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        // Only 2000::/3 is given out for global unicast; the rest of the space follows in the blocks around it.
        ("::/3", "not global unicast"),
        ("4000::/2", "not global unicast"),
        ("8000::/1", "not global unicast"),
    ])

    private static let carriers = [
        Carrier(range: range("::ffff:0:0/96"), shifts: [0]),
        Carrier(range: range("::ffff:0:0:0/96"), shifts: [0]),
        Carrier(range: range("::/96"), shifts: [0]),
        Carrier(range: range("64:ff9b::/96"), shifts: [0]),
        Carrier(range: range("64:ff9b:1::/48"), shifts: [0], isSplit: true),
        Carrier(range: range("2002::/16"), shifts: [80]),
        Carrier(range: range("2001::/32"), shifts: [64, 0], hasInvertedLowest: true),
    ]
}
