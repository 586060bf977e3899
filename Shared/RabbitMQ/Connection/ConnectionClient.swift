/// What a connection is used for: publishing or consuming.
///
/// All functions but `clockAdvanced` are called by the owner thread alone.
protocol ConnectionClient: AnyObject, Sendable {
    /// A connection is open: declare, subscribe. Questions to the broker may be put here and only here.
    func connectionOpened(_ connection: AMQPConnection, epoch: UInt64) throws(RabbitMQError)

    /// Sends what waits to be sent.
    ///
    /// - Returns: Whether there is more to send at once.
    func transmit(_ connection: AMQPConnection, at now: ContinuousClock.Instant) throws(RabbitMQError) -> Bool

    /// The broker said something.
    func received(_ events: [BrokerEvent], at now: ContinuousClock.Instant) throws(RabbitMQError)

    /// Time passed: callers whose deadline is over are let go. Called from the watchdog's thread as well.
    func clockAdvanced(to now: ContinuousClock.Instant)

    /// Time passed on a connection: throws when the broker has been silent for too long about something.
    func checkLimits(at now: ContinuousClock.Instant) throws(RabbitMQError)

    /// The connection ended, or none could be made; another will be tried.
    func connectionLost(_ error: RabbitMQError)

    /// When `clockAdvanced` or `checkLimits` has something to do.
    func nextDeadline(connected: Bool) -> ContinuousClock.Instant?

    /// Whether the client was told to end and has nothing left to do on a connection, or no time left for it.
    func isFinished(connected: Bool, at now: ContinuousClock.Instant) -> Bool

    /// The thread ends; nothing is called afterwards.
    func ended(_ error: RabbitMQError?)
}
