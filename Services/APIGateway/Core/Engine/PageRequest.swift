import Contracts
import FoundationEssentials
import HTTPTypes
import JSON

/// What a list's query asks for, and how its answer points to the next page.
struct PageRequest {
    let query: Query
    let limit: Int
    let cursor: String?

    /// How many items a page may have.
    static let limits = 1...200

    /// Reads `limit` and `cursor`.
    init(_ query: Query, defaultLimit: Int = 50) throws {
        self.query = query
        if let text = query["limit"] {
            guard let limit = Int(text), Self.limits.contains(limit) else {
                throw GatewayProblem.invalidParameter("limit")
            }
            self.limit = limit
        } else {
            limit = defaultLimit
        }
        cursor = query["cursor"]
        if let cursor, cursor.isEmpty || cursor.utf8.count > 1_024 {
            throw GatewayProblem.invalidParameter("cursor")
        }
    }

    /// The cursor of a list whose cursors are ids of ours.
    func cursorID() throws -> UUID? {
        guard let cursor else {
            return nil
        }
        guard let id = UUID(uuidString: cursor) else {
            throw GatewayProblem(.invalidCursor)
        }
        return id
    }

    /// Writes `limit` and `cursor` as members of a request.
    func write(to writer: inout JSONWriter) {
        writer.member("limit", Int64(limit))
        if let cursor {
            writer.member("cursor", cursor)
        }
    }

    /// The answer with a `Link` to the next page, where the engine says that there is one.
    func answer(_ body: [UInt8], path: String, next: String?) -> GatewayAnswer {
        var answer = GatewayAnswer(.ok, body)
        if let next {
            answer.headers.append((.link, "<\(path)?\(query.replacing("cursor", with: next))>; rel=\"next\""))
        }
        return answer
    }
}
