import ServiceBase
package import ServiceRuntime

/// The gateway's own settings and metrics.
package enum GatewayKeys {
    /// Where the API is served.
    package static let address = ConfigurationKey<ListenAddress>.address(
        "BATUTA_HTTP_ADDRESS",
        default: "127.0.0.1:8080",
        help: "Where the HTTP API is served."
    )

    /// How many transactions take signals at once.
    package static let intakeLanes = ConfigurationKey<Int>.int(
        "BATUTA_INTAKE_LANES",
        in: 1...32,
        default: 2,
        help: "How many transactions take signals at once."
    )

    /// How many signals may wait for a transaction before more are refused.
    package static let intakeWaiting = ConfigurationKey<Int>.int(
        "BATUTA_INTAKE_WAITING",
        in: 1...1_000_000,
        default: 20_000,
        help: "How many signals may wait for a transaction before more are refused, of one tenant half as many."
    )

    /// How many signals a second each tenant may send to this replica.
    package static let signalsPerSecond = ConfigurationKey<Int>.int(
        "BATUTA_TENANT_SIGNALS_PER_SECOND",
        in: 0...1_000_000,
        default: 0,
        help: "How many signals a second each tenant may send to this replica before more get 429; 0 for no limit."
    )

    /// How many other requests a second each tenant may send to this replica.
    package static let requestsPerSecond = ConfigurationKey<Int>.int(
        "BATUTA_TENANT_REQUESTS_PER_SECOND",
        in: 0...1_000_000,
        default: 0,
        help: "How many other requests a second each tenant may send before more get 429; 0 for no limit."
    )

    /// How many signals of the automation's type the span of a replay may have.
    package static let replayedSignals = ConfigurationKey<Int>.int(
        "BATUTA_REPLAY_SIGNALS",
        in: 1...10_000_000,
        default: 100_000,
        help: "How many signals of the automation's type the span of a replay may have; a dry run may have more."
    )

    /// How long a request may wait for the database or another service.
    package static let requestPatience = ConfigurationKey<Duration>.duration(
        "BATUTA_REQUEST_TIMEOUT",
        in: .milliseconds(100) ... .seconds(300),
        default: "10s",
        help: "How long a request may wait for the database or another service."
    )

    /// How long a request's body may take to arrive.
    package static let bodyPatience = ConfigurationKey<Duration>.duration(
        "BATUTA_HTTP_BODY_TIMEOUT",
        in: .milliseconds(100) ... .seconds(300),
        default: "10s",
        help: "How long a request's body may take to arrive, and how long a client may take nothing of its answer."
    )

    /// How long a connection may be idle.
    package static let idleTimeout = ConfigurationKey<Duration>.duration(
        "BATUTA_HTTP_IDLE_TIMEOUT",
        in: .seconds(1) ... .seconds(3_600),
        default: "60s",
        help: "How long a connection may be idle, or a request's head take to arrive."
    )

    /// The certificate that clients are shown.
    package static let tlsCertificateFile = ConfigurationKey<String>.path(
        "BATUTA_HTTP_TLS_CERTIFICATE_FILE",
        help: "A PEM file of the certificate that makes it HTTPS, and of those between it and the root."
    )
    .optional

    /// The certificate's private key.
    package static let tlsKeyFile = ConfigurationKey<String>.path(
        "BATUTA_HTTP_TLS_KEY_FILE",
        help: "A PEM file of the certificate's private key, without a passphrase."
    )
    .optional

    /// Where the keys are that the secrets of hooks are sealed with.
    package static let secretKeysFile = ConfigurationKey<String>.path(
        "BATUTA_SECRET_KEYS_FILE",
        help: "The file of the keys that the secrets of hooks are sealed with; without it there are no hooks."
    )
    .optional

    /// All of them.
    package static let all: [any ConfigurationDeclaration] =
        [
            address, intakeLanes, intakeWaiting, signalsPerSecond, requestsPerSecond, replayedSignals, requestPatience,
            bodyPatience, idleTimeout, tlsCertificateFile, tlsKeyFile, secretKeysFile,
        ] + OutboxKeys.all

    /// What the gateway counts.
    package static let metrics: [MetricDescription] = ServiceBase.metrics + own

    private static let own: [MetricDescription] = [
        .counter("batuta_signals_accepted_total", help: "Signals committed for the first time."),
        .counter("batuta_signals_duplicate_total", help: "Signals whose id had been seen before from their source."),
        .counter(
            "batuta_signals_conflicting_total",
            help: "Signals that repeat an id with another type or other data."
        ),
        .counter("batuta_signals_refused_total", help: "Signals that were valid and could not be committed."),
        .counter(
            TenantRefusals.name,
            help: "Requests that were refused with 429 because their tenant was over a limit.",
            labels: ["limit"]
        ),
        .counter("batuta_signal_batches_total", help: "Transactions that committed signals."),
        .counter(
            "batuta_http_requests_total",
            help: "Answered requests.",
            labels: ["route", "method", "status"]
        ),
        .histogram(
            "batuta_http_request_duration_seconds",
            help: "Time from a request's head to its answer.",
            labels: ["route", "method"]
        ),
        .counter("batuta_hook_deliveries_total", help: "Webhooks whose signals were committed.", labels: ["kind"]),
        .counter(
            "batuta_hook_refusals_total",
            help: "Webhooks that were refused, by the signature's verdict or the problem's code.",
            labels: ["kind", "reason"]
        ),
        .gauge(
            SecretResealer.gaugeLabel,
            help: "Secrets that are sealed with another key than the first of the key file.",
            labels: ["kind"]
        ),
        .gauge(GatewayTLS.expiryLabel, help: "When the certificate of the HTTP server ends, in Unix seconds."),
        .counter("batuta_http_unknown_tokens_total", help: "Requests with a token that nobody knows."),
        .counter("batuta_refusals_unaudited_total", help: "Refusals that were too many to be recorded one by one."),
    ]
}
