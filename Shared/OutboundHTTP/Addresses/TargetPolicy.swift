/// Decides whether a request may go to a host at certain addresses.
struct TargetPolicy: Sendable {
    let allowList: AllowList

    /// Refuses a host if any of its addresses is no place for requests; none may be left out, since a name with a public
    /// and a private address is a way around a check of only one.
    ///
    /// - Throws: ``OutboundError`` with code `address_refused` or `port_refused`.
    func check(_ addresses: [IPAddress], of host: OutboundHost, port: Int) throws(OutboundError) {
        for address in addresses {
            try check(port: port, of: host, at: address)
            try check(address, of: host, port: port)
        }
    }

    private func check(port: Int, of host: OutboundHost, at address: IPAddress) throws(OutboundError) {
        guard RiskyPorts.contains(port), !allowList.names(port: port, of: host, address: address) else { return }
        let message =
            "Port \(port) of \(host) belongs to another protocol than HTTP, so no request goes there. "
            + advice("\(host.authority):\(port)")
        throw OutboundError(.portRefused, .notSent, message)
    }

    private func check(_ address: IPAddress, of host: OutboundHost, port: Int) throws(OutboundError) {
        if case .name(let name) = host, allowList.allows(name: name, port: port) { return }
        for finding in AddressGuard.findings(for: address) where !allowList.allows(finding.address, port: port) {
            throw OutboundError(.addressRefused, .notSent, refusal(finding, of: address, host: host, port: port))
        }
    }

    private func refusal(
        _ finding: AddressGuard.Finding,
        of address: IPAddress,
        host: OutboundHost,
        port: Int
    ) -> String {
        let inner = finding.address == address ? "" : "it carries \(finding.address), and "
        switch host {
        case .name(let name):
            return "\(name) has the address \(address), to which no request goes: \(inner)\(finding). "
                + advice("\(name):\(port)")
        case .address:
            return "No request goes to \(address): \(inner)\(finding). "
                + advice("\(OutboundHost.address(finding.address).authority):\(port)")
        }
    }

    private func advice(_ entry: String) -> String {
        "An operator can allow it with the entry \(entry) in \(AllowList.settingName)."
    }
}
