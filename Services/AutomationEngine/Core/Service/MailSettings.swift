import Contracts
import FoundationEssentials
import Mail
import Secrets
import ServiceRuntime

/// Reads the settings of the mail relay.
enum MailSettings {
    /// A setting that cannot be used, in one sentence that names it.
    struct Fault: OperatorFacingError, Equatable {
        let description: String
    }

    /// What submits mails; nil where no relay is configured.
    ///
    /// - Throws: ``Fault``.
    static func client(_ configuration: ServiceConfiguration) throws(Fault) -> MailClient? {
        let (from, password) = (configuration[EngineKeys.smtpFrom], configuration[EngineKeys.smtpPassword])
        guard let url = configuration[EngineKeys.smtpURL] else {
            let idle = [
                (EngineKeys.smtpFrom.name, from != nil), (EngineKeys.smtpPassword.name, password != nil),
                (EngineKeys.smtpTrust.name, configuration[EngineKeys.smtpTrust] != nil),
            ]
            guard let setting = idle.first(where: { $0.1 })?.0 else { return nil }
            throw Fault(
                description: "\(setting) is set, and no mail relay: set \(EngineKeys.smtpURL.name), or leave both out."
            )
        }
        guard let from else {
            throw Fault(
                description:
                    "\(EngineKeys.smtpURL.name) is set, and not whom mails are from: set \(EngineKeys.smtpFrom.name) to "
                    + "an address such as no-reply@example.org."
            )
        }
        let sender: MailAddress
        do throws(MailError) {
            sender = try MailAddress(from)
        } catch {
            throw Fault(
                description: "\(EngineKeys.smtpFrom.name) is no address that mails can be from: \(error.message)"
            )
        }
        try checkTrust(configuration[EngineKeys.smtpTrust])
        do throws(MailError) {
            let relay = try MailRelay(
                url: url,
                password: password.map { Secret($0.reveal()) },
                trustFile: configuration[EngineKeys.smtpTrust],
                sender: sender
            )
            return MailClient(relay) { Timestamp.now().microseconds / 1_000_000 }
        } catch {
            throw Fault(
                description:
                    "\(EngineKeys.smtpURL.name) \(error.message). It is smtps://USER@HOST:PORT or smtp://USER@HOST:PORT, "
                    + "and \(EngineKeys.smtpPassword.name)_FILE names the file of the user's password."
            )
        }
    }

    private static func checkTrust(_ path: String?) throws(Fault) {
        guard let path else { return }
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        guard text?.contains("-----BEGIN CERTIFICATE-----") == true else {
            throw Fault(
                description:
                    "\(EngineKeys.smtpTrust.name) names no readable PEM file of certificates; leave it out to trust the "
                    + "system's authorities."
            )
        }
    }
}
