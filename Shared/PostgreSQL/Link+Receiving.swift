import CPostgreSQL

extension Link {
    /// Reads what has come and takes every answer that is complete.
    func receive() {
        if machine.isFlying {
            flight.receivedBytes += pendingBytes()
        }
        let isOpen = PQconsumeInput(connection) == 1
        takeAnswers()
        while let notification = PQnotifies(connection) { PQfreemem(notification) }
        guard lostBecause == nil else { return }
        guard isOpen, PQstatus(connection) == CONNECTION_OK else { return lose(connectionError()) }
        guard flight.receivedBytes <= configuration.maximumResultBytes || !machine.isFlying else {
            return lose(
                PostgresError(
                    .resultTooLarge,
                    "the result is larger than \(configuration.maximumResultBytes) bytes"
                )
            )
        }
        // libpq may have written on its own while reading.
        if machine.isFlying, !machine.isFlushed { flush() }
    }

    private func takeAnswers() {
        var emptyAnswers = 0
        while lostBecause == nil, machine.isFlying, PQisBusy(connection) == 0 {
            guard let pointer = PQgetResult(connection) else {
                emptyAnswers += 1
                // A connection that has died says nothing forever.
                guard emptyAnswers < 4 else { return lose(connectionError()) }
                run(machine.received(.endOfCommand), nil)
                continue
            }
            emptyAnswers = 0
            take(PostgresResult(owning: pointer))
        }
    }

    private func take(_ result: PostgresResult) {
        switch PQresultStatus(result.pointer) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            run(machine.received(.success), result)
        case PGRES_PIPELINE_SYNC:
            run(machine.received(.sync), nil)
        case PGRES_PIPELINE_ABORTED:
            run(machine.received(.aborted), nil)
        case PGRES_FATAL_ERROR:
            takeError(result)
        default:
            run(machine.received(.unsupported), nil)
        }
    }

    private func takeError(_ result: PostgresResult) {
        // Without a code it is libpq that speaks, and the connection is gone.
        guard let sqlState = result.field(.sqlState) else {
            return lose(PostgresError(.connectionLost, result.errorMessage))
        }
        let severity = result.field(.severity) ?? ""
        var error = PostgresError(
            .server,
            result.field(.message) ?? "the server refused",
            sqlState: sqlState,
            constraint: result.field(.constraint)
        )
        error.routine = result.field(.routine)
        if flight.error == nil { flight.error = error }
        run(machine.received(.failure(endsSession: severity == "FATAL" || severity == "PANIC")), nil)
    }

    private func run(_ action: PipelineStateMachine.ReceiveAction, _ result: PostgresResult?) {
        switch action {
        case .wait:
            break
        case .keep(let index):
            if let result { flight.rows[index] = PostgresRows(result) }
        case .markPrepared(let index):
            if let preparation = flight.preparations[index] { cache.prepared(preparation.key, as: preparation.name) }
        case .checkCommit:
            if result?.commandTag != "COMMIT", flight.error == nil {
                flight.error = PostgresError(.transactionAborted, "the transaction had failed and was rolled back")
            }
        case .fail(let index):
            flight.error?.statementIndex = index
        case .finish(let id, _):
            finish(id)
        case .disconnect:
            lose(PostgresError(.unsupported, "the server sent what this client does not speak, such as COPY"))
        }
    }

    private func finish(_ id: UInt64) {
        guard let operation = operations.removeValue(forKey: id) else {
            preconditionFailure("operation \(id) finished and is unknown")
        }
        if case .script = operation.content, PQenterPipelineMode(connection) != 1 {
            operation.resolve(flight.error.map { .failure($0) } ?? .success([]), .broken)
            return lose(connectionError())
        }
        var status = sessionStatus()
        if flight.error?.isStaleStatement == true {
            cache.invalidate()
            // What was rolled back as a whole, having begun as a whole, can be repeated unseen.
            if flight.wasIdle, status == .idle, flight.cancelReason == nil, repeated.insert(id).inserted {
                operations[id] = operation
                if case .send = machine.enqueued(id) { send(operation) } else { sendNext() }
                return
            }
        }
        repeated.remove(id)
        if flight.error?.isReadOnly == true, !operation.isReadOnly { status = .broken }
        operation.resolve(outcome(), status)
        sendNext()
    }

    private func outcome() -> Result<[PostgresRows], PostgresError> {
        guard var error = flight.error else {
            guard !flight.isUnreplicated else { return .failure(Self.unreplicated) }
            return .success(flight.rows.compactMap(\.self))
        }
        if error.sqlState == "57014", let reason = flight.cancelReason {
            let cause = error
            error = Self.error(for: reason)
            error.cause = cause
            error.statementIndex = cause.statementIndex
        }
        return .failure(error)
    }

    /// A cancelled commit is made all the same, with a warning, on a server that was waiting for its standby: a failover
    /// may undo it, so nobody may be told that it stands.
    private static let unreplicated = PostgresError(
        .commitOutcomeUnknown,
        "the commit is made on this server, and its synchronous standby has not confirmed it"
    )

    private func sessionStatus() -> SessionStatus {
        switch PQtransactionStatus(connection) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failedTransaction
        default: .broken
        }
    }
}

extension PostgresResult {
    /// The fields of an error that are of use; the codes are characters that Swift does not import.
    enum ErrorField: Unicode.Scalar {
        case severity = "V"
        case sqlState = "C"
        case message = "M"
        case constraint = "n"
        case routine = "R"
    }

    func field(_ field: ErrorField) -> String? {
        PQresultErrorField(pointer, Int32(field.rawValue.value)).map { String(cString: $0) }
    }

    var errorMessage: String {
        let text = PQresultErrorMessage(pointer).map { String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
