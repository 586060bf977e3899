package import ServiceRuntime

/// The gateway's settings, as values.
package struct GatewayConfiguration: Sendable {
    package var address: ListenAddress
    package var intake = IntakeLimits()
    package var bodies = BodyLimits()
    package var server = GatewayServer.Limits()
    /// How many requests a second, signals not counted, each tenant may send to this replica; 0 for no limit.
    package var requestsPerSecond = 0
    /// How many signals of the automation's type the span of a replay may have.
    package var replayedSignals = 100_000
    /// How long a request may wait for the database or another service.
    package var patience: Duration = .seconds(10)
    /// Where the certificate is that makes it HTTPS, and its key.
    package var tlsCertificateFile: String?
    package var tlsKeyFile: String?
    /// Where the keys are that the secrets of hooks are sealed with.
    package var secretKeysFile: String?

    package init(address: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8_080)) {
        self.address = address
    }

    /// The settings of a process.
    package init(_ configuration: ServiceConfiguration) {
        self.init(address: configuration[GatewayKeys.address])
        patience = configuration[GatewayKeys.requestPatience]
        secretKeysFile = configuration[GatewayKeys.secretKeysFile]
        tlsCertificateFile = configuration[GatewayKeys.tlsCertificateFile]
        tlsKeyFile = configuration[GatewayKeys.tlsKeyFile]
        intake.lanes = configuration[GatewayKeys.intakeLanes]
        intake.waiting = configuration[GatewayKeys.intakeWaiting]
        intake.patience = patience
        intake.signalsPerSecond = configuration[GatewayKeys.signalsPerSecond]
        requestsPerSecond = configuration[GatewayKeys.requestsPerSecond]
        replayedSignals = configuration[GatewayKeys.replayedSignals]
        server.bodyPatience = configuration[GatewayKeys.bodyPatience]
        server.idleTimeout = configuration[GatewayKeys.idleTimeout]
    }
}
