import CPostgreSQL

extension Link {
    /// Sends what waits, if the connection is free.
    func sendNext() {
        while lostBecause == nil, let id = machine.nextToSend() {
            guard let operation = operations[id] else { preconditionFailure("operation \(id) is queued and unknown") }
            send(operation)
        }
    }

    /// Hands an operation to libpq, sync point and all.
    func send(_ operation: Operation) {
        flight = Flight()
        flight.wasIdle = PQtransactionStatus(connection) == PQTRANS_IDLE
        let isSent: Bool
        switch operation.content {
        case .statements(let statements): isSent = sendPipeline(operation, statements)
        case .script(let text): isSent = sendScript(operation, text)
        }
        guard isSent else { return lose(connectionError()) }
        flush()
    }

    private func sendPipeline(_ operation: Operation, _ statements: [PostgresStatement]) -> Bool {
        flight.rows = Array(repeating: nil, count: statements.count)
        var steps: [PipelineStateMachine.Step] = []
        steps.reserveCapacity(statements.count + 2)
        if cache.isStale, flight.wasIdle {
            guard sendCommand("DEALLOCATE ALL") else { return false }
            steps.append(.control)
            cache.deallocated()
        }
        if let prologue = operation.prologue {
            guard sendCommand(prologue) else { return false }
            steps.append(.control)
        }
        var fresh: [StatementCache.Key: String] = [:]
        for (index, statement) in statements.enumerated() {
            guard send(statement, at: index, &steps, &fresh) else { return false }
        }
        if operation.commits {
            guard sendCommand("COMMIT") else { return false }
            steps.append(.commit)
        }
        machine.sent(steps, framing: .pipeline, commitPoint: operation.commitPoint)
        return PQpipelineSync(connection) == 1
    }

    /// A simple query is not allowed in pipeline mode, so the mode is left for its time.
    private func sendScript(_ operation: Operation, _ text: String) -> Bool {
        guard PQexitPipelineMode(connection) == 1 else { return false }
        machine.sent([], framing: .script, commitPoint: operation.commitPoint)
        return PQsendQuery(connection, text) == 1
    }

    private func sendCommand(_ sql: String) -> Bool {
        PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 0) == 1
    }

    private func send(
        _ statement: PostgresStatement,
        at index: Int,
        _ steps: inout [PipelineStateMachine.Step],
        _ fresh: inout [StatementCache.Key: String]
    ) -> Bool {
        let resultFormat: Int32 = statement.mode == .prepared ? 1 : 0
        var name: String?
        if statement.mode == .prepared {
            let key = StatementCache.Key(sql: statement.sql, types: statement.types)
            name = cache.name(of: key) ?? fresh[key]
            if name == nil, let newName = cache.newName() {
                guard prepare(statement, as: newName) else { return false }
                steps.append(.prepare(index))
                flight.preparations[index] = (key, newName)
                fresh[key] = newName
                name = newName
            }
        }
        steps.append(.statement(index))
        let count = Int32(statement.types.count)
        return withParameters(of: statement) { values, lengths, formats in
            if let name {
                return PQsendQueryPrepared(connection, name, count, values, lengths, formats, resultFormat) == 1
            }
            let types = statement.types.map(\.rawValue)
            return PQsendQueryParams(
                connection,
                statement.sql,
                count,
                types,
                values,
                lengths,
                formats,
                resultFormat
            ) == 1
        }
    }

    private func prepare(_ statement: PostgresStatement, as name: String) -> Bool {
        let types = statement.types.map(\.rawValue)
        return PQsendPrepare(connection, name, statement.sql, Int32(types.count), types) == 1
    }

    /// Lends addresses, lengths and formats of all parameters; libpq copies what they point to.
    private func withParameters(
        of statement: PostgresStatement,
        _ body: (
            UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Bool
    ) -> Bool {
        let count = statement.ranges.count
        return statement.storage.withUnsafeBytes { storage in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    let base = storage.baseAddress?.assumingMemoryBound(to: CChar.self)
                    for (index, range) in statement.ranges.enumerated() {
                        values.initializeElement(at: index, to: range.flatMap { base?.advanced(by: $0.lowerBound) })
                        numbers.initializeElement(at: index, to: Int32(range?.count ?? 0))
                        numbers.initializeElement(at: count + index, to: 1)
                    }
                    return body(values.baseAddress, numbers.baseAddress, numbers.baseAddress?.advanced(by: count))
                }
            }
        }
    }
}
