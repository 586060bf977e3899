/// What an operator allows past the guard, from `BATUTA_HTTP_ALLOW`.
///
/// An entry is a host, or a block of addresses, with a port or for any port: `host`, `host:8080`, `10.0.0.0/8`,
/// `10.0.0.0/8:8080`, `[fd00::/8]`, `[::1]:8080`. Entries are separated by commas or white space. A host that is named
/// may have any address; a block allows its addresses under whatever name they are reached.
package struct AllowList: Hashable, Sendable {
    /// The name of the setting, for messages.
    package static let settingName = "BATUTA_HTTP_ALLOW"

    struct Entry: Hashable, Sendable {
        enum Target: Hashable, Sendable {
            case name(String)
            case range(AddressRange)
        }

        let target: Target
        /// Nil for any port.
        let port: Int?

        func covers(port other: Int) -> Bool { port == nil || port == other }
    }

    let entries: [Entry]

    /// A list that allows nothing.
    package static let empty = AllowList(entries: [])

    init(entries: [Entry]) { self.entries = entries }

    /// Reads the setting.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_configuration` and a sentence that names the first bad entry.
    package init(_ text: String) throws(OutboundError) {
        var entries: [Entry] = []
        for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            entries.append(try Entry(String(word)))
        }
        self.init(entries: entries)
    }

    /// Whether this name is allowed with whatever addresses it has.
    package func allows(name: String, port: Int) -> Bool {
        entries.contains { $0.target == .name(name) && $0.covers(port: port) }
    }

    /// Whether a block with this address is allowed.
    package func allows(_ address: IPAddress, port: Int) -> Bool {
        entries.contains { entry in
            guard case .range(let range) = entry.target else { return false }
            return range.contains(address) && entry.covers(port: port)
        }
    }

    /// Whether an entry for this host or address names the port itself.
    func names(port: Int, of host: OutboundHost, address: IPAddress?) -> Bool {
        entries.contains { entry in
            guard entry.port == port else { return false }
            switch entry.target {
            case .name(let name): return host == .name(name)
            case .range(let range): return address.map(range.contains) ?? false
            }
        }
    }
}

extension AllowList.Entry {
    /// Reads one entry.
    fileprivate init(_ text: String) throws(OutboundError) {
        guard text.hasPrefix("[") else {
            try self.init(plain: text)
            return
        }
        guard let end = text.firstIndex(of: "]") else { throw Self.refusal(text, "The bracket is not closed.") }
        let block = String(text[text.index(after: text.startIndex)..<end])
        guard let range = AddressRange(block), range.base.family == .v6 else {
            throw Self.refusal(text, Self.fault(ofBlock: block))
        }
        let rest = text[text.index(after: end)...]
        guard rest.isEmpty || rest.hasPrefix(":") else { throw Self.refusal(text, "A port follows a colon.") }
        self.init(target: .range(range), port: rest.isEmpty ? nil : try Self.port(rest.dropFirst(), in: text))
    }

    private init(plain text: String) throws(OutboundError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first else {
            throw Self.refusal(text, "An IPv6 address or block stands in brackets, as in [fd00::/8]:443.")
        }
        let port = parts.count == 2 ? try Self.port(parts[1], in: text) : nil
        let target = String(host)
        if target.contains("/") {
            guard let range = AddressRange(target) else { throw Self.refusal(text, Self.fault(ofBlock: target)) }
            self.init(target: .range(range), port: port)
            return
        }
        do throws(OutboundError) {
            switch try OutboundHost(target) {
            case .name(let name): self.init(target: .name(name), port: port)
            case .address(let address): self.init(target: .range(AddressRange(address)), port: port)
            }
        } catch {
            throw Self.refusal(text, error.message)
        }
    }

    private static func port(_ text: some StringProtocol, in entry: String) throws(OutboundError) -> Int {
        guard let port = DecimalText.value(text), (1...65_535).contains(port) else {
            throw refusal(entry, "A port is a number from 1 to 65535.")
        }
        return port
    }

    private static func fault(ofBlock text: String) -> String {
        guard AddressRange(text) == nil else { return "Brackets are for IPv6." }
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let base = IPAddress(parts[0]), let length = DecimalText.value(parts[1]),
            length <= base.family.bitCount
        else { return "A block is an address, a slash and the length of its prefix, as in 10.0.0.0/8." }
        return "The address \(base) has bits behind a prefix of \(length)."
    }

    private static func refusal(_ entry: String, _ fault: String) -> OutboundError {
        let message = "\(AllowList.settingName) has an entry that cannot be used: “\(entry)”. \(fault)"
        return OutboundError(.invalidConfiguration, .notSent, message)
    }
}
