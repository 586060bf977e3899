/// Audit entries of one tenant and lane, with numbers in a row: `batuta.audit.entries`, version 1.
package struct AuditEntriesV1: Contract {
    package static let type = ContractType.auditEntries
    package static let version = 1
    package static let contentType = "application/x-ndjson"

    package let entries: [AuditEntry]

    /// Reads one entry per line, each line ended by LF.
    ///
    /// - Throws: `ContractError` with code `badBody`.
    package init(decoding body: [UInt8]) throws {
        guard body.last == UInt8(ascii: "\n") else {
            throw ContractError(.badBody, "the last audit entry is not ended by a line feed")
        }
        entries = try body.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            try AuditEntry(canonical: Array($0))
        }
    }

    /// Checks that the entries say of themselves what their envelope says of them.
    ///
    /// - Throws: `ContractError` with code `badBody`: the producer has numbered wrongly, or somebody else wrote them.
    package func requireMatch(_ envelope: MessageEnvelope) throws(ContractError) {
        guard entries.count == envelope.count else {
            throw ContractError(.badBody, "x-count says \(envelope.count), and there are \(entries.count) entries")
        }
        for (offset, entry) in entries.enumerated() {
            guard entry.producer == envelope.producer, entry.epoch == envelope.epoch,
                entry.seq == envelope.seq + Int64(offset)
            else {
                throw ContractError(.badBody, "entry \(offset) names another producer, epoch or seq than its envelope")
            }
            guard entry.tenant == envelope.tenant else {
                throw ContractError(.badBody, "entry \(offset) is of another tenant than its envelope")
            }
        }
    }

    /// The body of entries, given as canonical bytes.
    package static func body(of canonical: [[UInt8]]) -> [UInt8] {
        canonical.reduce(into: []) { body, entry in
            body.append(contentsOf: entry)
            body.append(UInt8(ascii: "\n"))
        }
    }
}
