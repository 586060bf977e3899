import ArgumentParser
import Domain
import Messaging

/// `batuta broker monitor`: the queue and the broker user of somebody who watches the audit log.
struct BrokerMonitorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Make the queue and the broker user of a monitor of the audit log.",
        discussion: """
            The queue monitor.TENANT.NAME is given every audit entry of the tenant from now on. The user \
            batuta_monitor_TENANT_NAME can take from that queue, and nothing else. A full queue loses the oldest, and one \
            that nobody has consumed from for long goes: what a monitor has missed it fetches from the log.

            The command can be run again: what exists is brought up to date, a queue that has gone is made anew, and the \
            password stays unless another one is asked for. A password that no file is named for is printed once, alone on \
            standard output.

            Examples:
              batuta broker monitor --tenant acme --name alerts --password-file alerts.password
              batuta broker monitor --tenant acme --name access --service gateway --max-messages 1000 --expires 12h
              batuta broker monitor --tenant acme --name alerts --remove
            """
    )

    @OptionGroup var management: BrokerManagementOptions

    @Option(name: .long, help: "The key of the tenant whose entries it sees.")
    var tenant: String

    @Option(name: .long, help: "The name of the monitor: lower-case letters, digits and hyphens.")
    var name: String

    @Option(
        name: .long,
        help: """
            It sees the entries of this service alone: \(ServiceName.allCases.map(\.rawValue).joined(separator: ", ")). \
            It can be given several times; without it all of them are seen.
            """
    )
    var service: [String] = []

    @Option(name: .long, help: "How many messages wait at most, of one or more entries each.")
    var maxMessages = AuditMonitor.Bounds.standard.maximumMessages

    @Option(name: .long, help: "How many bytes wait at most.")
    var maxBytes = AuditMonitor.Bounds.standard.maximumBytes

    @Option(name: .long, help: "After how long without a consumer the queue goes, such as 12h or 7d.")
    var expires = AuditMonitor.Bounds.standard.expires.text

    @OptionGroup var options: QueueUserOptions

    func validate() throws {
        _ = try monitor
    }

    mutating func run() async throws {
        let monitor = try monitor
        let keys = monitor.bindingKeys.joined(separator: ", ")
        try await options.run(
            monitor.subscription,
            for: BrokerPermissions(of: monitor),
            on: management.administration(),
            note: "it sees \(keys); \(maxMessages) messages and \(maxBytes) bytes wait at most, "
                + "and the queue goes after \(monitor.bounds.expires.text) without a consumer"
        )
    }

    private var monitor: AuditMonitor {
        get throws {
            guard let tenant = Tenant(tenant) else {
                throw ValidationError("\(tenant) is no key of a tenant.")
            }
            guard
                let monitor = AuditMonitor(
                    tenant: tenant,
                    name: name,
                    services: try services,
                    bounds: try bounds
                )
            else {
                throw ValidationError(
                    "\(name) is no name of a monitor: a lower-case letter, and then up to 62 of these, digits and hyphens."
                )
            }
            return monitor
        }
    }

    private var services: Set<ServiceName> {
        get throws {
            try Set(
                service.map { name in
                    guard let service = ServiceName(rawValue: name) else {
                        let names = ServiceName.allCases.map(\.rawValue).joined(separator: ", ")
                        throw ValidationError("\(name) is no service: \(names).")
                    }
                    return service
                }
            )
        }
    }

    private var bounds: AuditMonitor.Bounds {
        get throws {
            typealias Bounds = AuditMonitor.Bounds
            guard Bounds.messages.contains(maxMessages) else {
                throw ValidationError("--max-messages takes 1 to \(Bounds.messages.upperBound).")
            }
            guard Bounds.bytes.contains(maxBytes) else {
                throw ValidationError("--max-bytes takes \(Bounds.bytes.lowerBound) to \(Bounds.bytes.upperBound).")
            }
            guard let expires = Duration(text: expires), Bounds.expiries.contains(expires) else {
                throw ValidationError(
                    "--expires takes \(Bounds.expiries.lowerBound.text) to \(Bounds.expiries.upperBound.text)."
                )
            }
            return Bounds(maximumMessages: maxMessages, maximumBytes: maxBytes, expires: expires)
        }
    }
}
