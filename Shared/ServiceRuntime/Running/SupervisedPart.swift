import ServiceLifecycle

/// Runs one part and makes sure that its end is the one that was asked for.
struct SupervisedPart: Service {
    let part: ServicePart
    let health: HealthRegistry
    let record: StopRecord

    func run() async throws {
        do {
            try await part.service.run()
        } catch  where Task.isCancelled {
            // What a cancelled part throws is the consequence of its cancellation.
            record.cancelled(part.name)
            return
        } catch {
            record.failed(part.name, error)
            throw error
        }
        if Task.isCancelled { record.cancelled(part.name) }
        guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
        guard health.phase == .draining else {
            let error = ServiceRuntimeError(code: .partEnded, message: "\(part.name) ended by itself.")
            record.failed(part.name, error)
            throw error
        }
        // A part may end with the one it depends on; its turn in the order of the drain is still to come.
        try? await gracefulShutdown()
    }
}
