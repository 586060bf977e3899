import ServiceBase
package import ServiceRuntime

/// The engine's own settings.
package enum EngineKeys {
    /// How many batches may be in their transaction at once.
    package static let lanes = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_LANES",
        in: 1...64,
        default: 4,
        help: "how many transactions the engine runs at once"
    )
    /// How many messages one batch takes at most.
    package static let batch = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_BATCH",
        in: 1...1_000,
        default: 200,
        help: "how many messages one batch takes at most"
    )

    /// How many runs with effects outside may be under way at once.
    package static let effects = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_EFFECTS",
        in: 1...10_000,
        default: 256,
        help: "how many runs that call others the engine works on at once"
    )
    /// How many of them one tenant may have.
    package static let effectsPerTenant = ConfigurationKey<Int>.int(
        "BATUTA_ENGINE_EFFECTS_PER_TENANT",
        in: 1...10_000,
        help: "how many of the runs that call others may be of one tenant; by default three quarters"
    )
    .optional
    /// Where `http.request` may go besides public addresses.
    package static let httpAllow = ConfigurationKey<[String]>.list(
        "BATUTA_HTTP_ALLOW",
        of: "hosts and CIDRs, each with an optional port,",
        default: [],
        help: "which private hosts http.request may call"
    )
    /// A PEM file of certificates that calls trust besides the system's.
    package static let httpTrust = ConfigurationKey<String>.path(
        "BATUTA_HTTP_CA_FILE",
        help: "a PEM file of certificate authorities that http.request trusts besides the system's"
    )
    .optional
    /// The relay that takes mails.
    package static let smtpURL = ConfigurationKey<String>.url(
        "BATUTA_SMTP_URL",
        schemes: ["smtps", "smtp"],
        help: "the relay of notify.email, smtps://USER@HOST or smtp://USER@HOST with STARTTLS; without it there is none"
    )
    .optional
    /// The password of the relay's user.
    package static let smtpPassword = ConfigurationKey<RedactedText>.secret(
        "BATUTA_SMTP_PASSWORD",
        help: "the password of the user in BATUTA_SMTP_URL"
    )
    .optional
    /// Whom mails are from.
    package static let smtpFrom = ConfigurationKey<String>.string(
        "BATUTA_SMTP_FROM",
        accepted: "an address, which may have a name",
        help: "whom mails are from, such as Batuta <no-reply@example.org>"
    )
    .optional
    /// A PEM file of certificates that the relay's is checked against.
    package static let smtpTrust = ConfigurationKey<String>.path(
        "BATUTA_SMTP_CA_FILE",
        help: "a PEM file of the certificate authorities that the relay is checked against, in place of the system's"
    )
    .optional
    /// The keys that secrets are sealed with.
    package static let secretKeys = ConfigurationKey<String>.path(
        "BATUTA_SECRET_KEYS_FILE",
        help: "the file of the keys that secrets are sealed with; without it there are none"
    )
    .optional

    /// All of them.
    package static let all: [any ConfigurationDeclaration] =
        [
            lanes, batch, effects, effectsPerTenant, httpAllow, httpTrust, smtpURL, smtpPassword,
            smtpFrom, smtpTrust, secretKeys,
        ] + OutboxKeys.all
}
