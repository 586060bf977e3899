import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import Logging
import Secrets

/// Takes webhooks: finds the source, checks the signature over the raw bytes, and hands the signals in, all or none.
///
/// An unknown source and a wrong signature get the same answer after the same work, so that nobody learns which sources
/// there are.
struct HookReceiver: Sendable {
    let repository: HookRepository
    let secrets: HookSecrets
    let intake: SignalIntake
    let limits: BodyLimits
    let patience: Duration
    let gate = HookBodyGate()
    let metrics = HookMetrics()
    let logger: Logger

    /// `POST /api/hooks/{source}`; the body is read only where the headers could be a publisher's.
    func receive(_ delivery: HookDelivery, body: () async throws -> [UInt8]) async throws -> GatewayAnswer {
        var kind: HookKind?
        do {
            _ = try secrets.keys()
            let verdict = secrets.plausibility(of: delivery.headers, now: Self.now())
            guard verdict.isValid else {
                throw Refusal(verdict.rawValue)
            }
            let sealed = try await sealedHook(delivery)
            kind = sealed?.hook.kind
            let announced = delivery.headers[.contentLength].flatMap { Int($0) } ?? limits.hook
            return try await gate.holding(announced) {
                let body = try await body()
                return try await handling(body) { try await take(delivery, sealed, body) }
            }
        } catch let refusal as Refusal {
            note(delivery, kind, refusal.reason)
            throw Self.unauthenticated
        } catch {
            note(delivery, kind, GatewayProblem(error).code)
            throw error
        }
    }

    private func sealedHook(_ delivery: HookDelivery) async throws -> SealedHook? {
        guard let address = delivery.address else {
            return nil
        }
        return try await repository.hook(address.name, of: address.tenant, deadline: .now + patience)
    }

    private func take(_ delivery: HookDelivery, _ sealed: SealedHook?, _ body: [UInt8]) async throws -> GatewayAnswer {
        guard let sealed else {
            secrets.checkInVain(delivery.headers, body)
            throw Refusal("unknown_source")
        }
        let kind = sealed.hook.kind
        let accepted: [Secret]
        do {
            accepted = try secrets.open(sealed, at: .now())
        } catch let error as SecretsError {
            logger.error(
                "a hook's secret cannot be opened",
                metadata: ["source": "\(sealed.hook.source)", "error": "\(error)"]
            )
            throw GatewayProblem(.unavailable)
        }
        let verdict = secrets.verdict(sealed.hook.credential, accepted, delivery.headers, body, now: Self.now())
        guard verdict.isValid else {
            if verdict == .missing || verdict == .malformed || sealed.hook.credential.isBearer {
                // No signature was computed, so it would be told by the time from a source that there is not.
                secrets.checkInVain(delivery.headers, body)
            }
            throw Refusal(verdict.rawValue)
        }
        let signals = try HookReader(hook: sealed.hook, delivery: delivery, body: body, limits: limits).signals()
        let receipts = try await intake.accept(signals, of: sealed.hook.tenant, credential: nil)
        metrics.accepted(kind)
        return SignalOperations.answer(signals, receipts)
    }

    private func note(_ delivery: HookDelivery, _ kind: HookKind?, _ reason: String) {
        metrics.refused(kind, reason)
        // Of a tenant that is over a limit the log tells once a minute, and not for every request.
        guard reason != ProblemCode.rateLimited.rawValue else {
            return
        }
        logger.warning(
            "a webhook was refused",
            metadata: [
                "source": "\(delivery.address == nil ? "none that could be" : delivery.source)", "reason": "\(reason)",
                "kind": "\(kind?.rawValue ?? "unknown")", "request_id": "\(delivery.requestID)",
            ]
        )
    }

    /// A webhook that is not authenticated, and why, which only we are told.
    private struct Refusal: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private static let unauthenticated = GatewayProblem(
        .unauthenticated,
        Sentence(
            "There is no such hook, or the signature or token is not its own.",
            "No existe ese webhook, o la firma o el token no son suyos."
        )
    )

    private static func now() -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }
}
