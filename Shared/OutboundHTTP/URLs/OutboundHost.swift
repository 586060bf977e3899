/// The host of a URL: a name, or an address in its one canonical spelling.
package enum OutboundHost: Hashable, Sendable, CustomStringConvertible {
    /// A name in lower case: labels of letters, digits and hyphens, without a dot at the end.
    case name(String)
    /// An address.
    case address(IPAddress)

    /// Reads a host without brackets: a name, or an IPv4 address.
    ///
    /// Whatever ends in a number is an address to some parsers (WHATWG URL; `inet_aton`), so unless it is the canonical
    /// spelling of one it is refused.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_url`.
    init(_ text: some StringProtocol) throws(OutboundError) {
        guard !text.isEmpty else { throw Self.refusal("The URL has no host.") }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw Self.refusal("The host has a letter outside ASCII; write the name in its “xn--” form.")
        }
        let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, !last.isEmpty else {
            throw Self.refusal("The host ends with a dot; write it without.")
        }
        if Self.isNumber(last) {
            guard let address = IPAddress(String(text)), address.family == .v4 else {
                throw Self.refusal(
                    "The host is an ambiguous spelling of an address; write four decimal numbers without leading zeros."
                )
            }
            self = .address(address)
            return
        }
        guard text.utf8.count <= 253, labels.allSatisfy(Self.isLabel) else {
            throw Self.refusal("The host is no valid name: labels of letters, digits and hyphens, separated by dots.")
        }
        self = .name(labels.joined(separator: "."))
    }

    /// Reads what stands between brackets: an IPv6 address without a zone.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_url`.
    init(bracketed text: some StringProtocol) throws(OutboundError) {
        guard let address = IPAddress(String(text)), address.family == .v6 else {
            throw Self.refusal("The host in brackets is no IPv6 address; zones are not taken.")
        }
        self = .address(address)
    }

    /// The host as it stands in a URL and in the `Host` header.
    package var authority: String {
        guard case .address(let address) = self, address.family == .v6 else { return description }
        return "[\(address)]"
    }

    package var description: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.description
        }
    }

    private static func isNumber(_ label: Substring) -> Bool {
        if label.hasPrefix("0x") { return label.utf8.dropFirst(2).allSatisfy { $0.isHexadecimalDigit } }
        return label.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        guard (1...63).contains(label.utf8.count), label.utf8.first != 0x2D, label.utf8.last != 0x2D else {
            return false
        }
        return label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private static func refusal(_ message: String) -> OutboundError {
        OutboundError(.invalidURL, .notSent, message)
    }
}

extension UInt8 {
    /// Whether the byte is a digit or a letter from A to F in either case.
    var isHexadecimalDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
    }
}
