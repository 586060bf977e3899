import Contracts

extension GatewayProblem {
    /// As many signals of the tenant wait to be committed as may.
    static let tooManyWaiting = GatewayProblem(
        .rateLimited,
        Sentence(
            "Too many signals of this tenant are waiting to be stored; try again shortly.",
            "Hay demasiadas señales de este inquilino en espera; inténtelo de nuevo en breve."
        ),
        retryAfter: 1
    )

    /// The tenant sends more signals a second than it may.
    static func tooManySignals(perSecond: Int, wait: Duration) -> GatewayProblem {
        let seconds = wholeSeconds(wait)
        return GatewayProblem(
            .rateLimited,
            Sentence(
                "This tenant may send \(perSecond) signals a second; try again in \(seconds) s.",
                "Este inquilino puede enviar \(perSecond) señales por segundo; inténtelo de nuevo en \(seconds) s."
            ),
            retryAfter: seconds
        )
    }

    /// The tenant sends more requests a second than it may.
    static func tooManyRequests(perSecond: Int, wait: Duration) -> GatewayProblem {
        let seconds = wholeSeconds(wait)
        return GatewayProblem(
            .rateLimited,
            Sentence(
                "This tenant may send \(perSecond) requests a second; try again in \(seconds) s.",
                "Este inquilino puede enviar \(perSecond) solicitudes por segundo; inténtelo de nuevo en \(seconds) s."
            ),
            retryAfter: seconds
        )
    }

    /// At least one, and never so few that the repetition comes too early.
    private static func wholeSeconds(_ wait: Duration) -> Int {
        let (seconds, attoseconds) = wait.components
        return Int(clamping: max(1, attoseconds > 0 ? seconds + 1 : seconds))
    }
}
