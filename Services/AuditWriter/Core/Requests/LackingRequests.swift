import Contracts
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Says which messages this service lacks, to those who verify that what they have sent has arrived.
package struct LackingRequests: Sendable {
    /// How many numbers or commands can be asked about at once.
    static let maximumAsked = 100_000
    private static let largestNumber: Int64 = 1 << 53

    private let log: LogRepository
    private let kept: KeptBodyRepository

    package init(database: PostgresClient) {
        log = LogRepository(database: database)
        kept = KeptBodyRepository(database: database)
    }

    /// `audit.lanes.position`: which numbers of a lane stand neither in the log nor among those held.
    package func numbers(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        guard let producer = root["producer"]?.stringValue, let epoch = root["epoch"]?.int64Value,
            let first = root["first"]?.int64Value, let last = root["last"]?.int64Value,
            first >= 1, last >= first, last <= Self.largestNumber, last - first < Int64(Self.maximumAsked)
        else {
            throw Problem(
                .invalidRequest,
                "producer, epoch, first and last are needed, and they span at most \(Self.maximumAsked) numbers."
            )
        }
        let lane = LaneName(producer: producer, epoch: epoch)
        let known = try await log.sequencers(of: [lane], deadline: context.deadline)[lane] ?? LaneSequencer()
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("lacking")
        writer.beginArray()
        for range in known.lacking(first...last).ranges {
            writer.beginArray()
            writer.number(range.lowerBound)
            writer.number(range.upperBound - 1)
            writer.endArray()
        }
        writer.endArray()
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// `audit.commands.lacking`: which commands were neither carried out nor put away.
    package func commands(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard let asked = body.root["command_ids"], asked.kind == .array, asked.count <= Self.maximumAsked else {
            throw Problem(
                .invalidRequest,
                "command_ids is needed, and at most \(Self.maximumAsked) commands can be asked about."
            )
        }
        let ids = try asked.elements.map { element in
            guard let id = element.stringValue.flatMap(UUID.init(uuidString:)) else {
                throw Problem(.invalidRequest, "A command's id is no UUID.")
            }
            return id
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("lacking")
        writer.beginArray()
        for id in try await kept.lacking(ids, deadline: context.deadline) {
            writer.string(id.uuidString.lowercased())
        }
        writer.endArray()
        writer.endObject()
        return Reply(body: writer.bytes)
    }
}

extension LaneSequencer {
    /// The numbers of a range that are neither in the log nor held.
    func lacking(_ asked: ClosedRange<Int64>) -> RangeSet<Int64> {
        RangeSet(asked.lowerBound..<asked.upperBound + 1)
            .subtracting(RangeSet(Int64.min..<next))
            .subtracting(early)
    }
}
