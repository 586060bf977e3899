import Contracts
import Domain
import FoundationEssentials
import JSON

extension SignalOperations {
    private typealias Signal = SignalRepository.ListedSignal

    /// `GET /api/signals`, newest first.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        let filter = try SignalFilter(page.query)
        let (signals, next) = try await found(filter, page, request)
        var writer = JSONWriter(capacity: 256 * signals.count + 64)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for signal in signals {
            writer.beginObject()
            writer.member("signal_id", signal.signalID.lowercased)
            writer.member("id", signal.id)
            writer.member("source", signal.source)
            writer.member("type", signal.type)
            writer.member("accepted_at", Self.acceptance(of: signal.signalID))
            if let status = filter.status {
                writer.member("status", status.rawValue)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.member("next", next?.lowercased)
        writer.endObject()
        return page.answer(writer.bytes, path: request.route.pattern, next: next?.lowercased)
    }

    private func found(
        _ filter: SignalFilter,
        _ page: PageRequest,
        _ request: GatewayRequest
    ) async throws -> (items: [Signal], next: UUID?) {
        let tenant = request.caller.principal.tenant
        let before = try page.cursorID()
        let deadline = ContinuousClock.now + patience
        func signals(_ before: UUID?, _ count: Int) async throws -> [Signal] {
            try await repository.page(filter, of: tenant, before: before, count: count, deadline: deadline)
        }
        guard let status = filter.status else {
            let found = try await signals(before, page.limit + 1)
            let items = Array(found.prefix(page.limit))
            return (items, found.count > page.limit ? items.last?.signalID : nil)
        }
        let search = SignalSearch(
            signals: signals,
            lacking: { try await lacking($0, for: request) },
            unconfirmed: { try await repository.unconfirmed($0, of: tenant, deadline: deadline) }
        )
        // What has been found by half of the time is answered, so that the rest does not cost it all.
        return try await search.page(status, before: before, limit: page.limit, deadline: .now + patience / 2)
    }

    /// Which of some signals the engine has neither processed nor put away.
    private func lacking(_ signals: [UUID], for request: GatewayRequest) async throws -> Set<UUID> {
        var question = JSONWriter(capacity: 40 * signals.count + 32)
        question.beginObject()
        question.key("signal_ids")
        question.beginArray()
        for signal in signals {
            question.string(signal.lowercased)
        }
        question.endArray()
        question.endObject()
        let answer = try engine.document(
            of: try await engine.ask(RequestType.engineSignalsLacking, question.bytes, for: request)
        )
        guard let lacking = answer.root["lacking"], lacking.kind == .array else {
            throw GatewayProblem(.internalError)
        }
        return Set(lacking.elements.compactMap { $0.stringValue.flatMap { UUID(uuidString: $0) } })
    }
}
