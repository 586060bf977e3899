import Contracts
package import Domain
import FoundationEssentials
import JSON
package import Messaging
import Persistence

/// Makes the first tenant and its first admin token.
package struct Bootstrap: Sendable {
    /// What is to be made.
    package struct Order: Sendable {
        package var tenant: Tenant
        /// The tenant's name for people.
        package var name: String
        package var tokenName: String

        package init(tenant: Tenant, name: String, tokenName: String) {
            self.tenant = tenant
            self.name = name
            self.tokenName = tokenName
        }
    }

    private let lanes: LaneGroup

    package init(lanes: LaneGroup) {
        self.lanes = lanes
    }

    /// Makes tenant and token in one transaction, with their audit entries.
    ///
    /// - Returns: The token's text, or nil where a tenant is there already: then nothing is changed.
    package func run(_ order: Order, deadline: ContinuousClock.Instant) async throws -> String? {
        var generator = SystemRandomNumberGenerator()
        let token = APIToken(using: &generator)
        let record = TokenRecord(
            tokenID: UUIDv7.make(),
            name: order.tokenName,
            role: .admin,
            createdAt: .now(),
            createdBy: "bootstrap"
        )
        let ofTenant = Self.draft(
            "tenant.create",
            AuditObject(type: "tenant", id: order.tenant.key),
            after: try .json(["name": .string(order.name)]),
            order
        )
        let ofToken = Self.draft(
            "token.create",
            AuditObject(type: "token", id: record.tokenID.lowercased),
            after: try record.audited(),
            order
        )
        let isNew = try await lanes.change(deadline: deadline) { transaction in
            // The row of the generation is the lock under which only one first tenant is made.
            let rows = try await transaction.database.pipeline([
                IdentityRepository.nextGeneration,
                PostgresStatement("SELECT EXISTS (SELECT FROM gateway.tenants)"),
            ])
            guard try rows.last?.first?.decode(0, as: Bool.self) == false else {
                return .none(false)
            }
            transaction.enqueue([
                ChangeStatement(
                    "INSERT INTO gateway.tenants (tenant, name) VALUES ($1, $2)",
                    [.text(order.tenant.key), .text(order.name)]
                ),
                TokenRepository.insertion(record, hash: token.hash, of: order.tenant),
            ])
            return .made(true, ofTenant, and: [ofToken])
        }
        return isNew ? token.text : nil
    }

    private static func draft(
        _ action: String,
        _ object: AuditObject,
        after: AuditValue,
        _ order: Order
    ) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: order.tenant.key,
            actor: AuditActor(type: .system, id: "api-gateway", via: "bootstrap"),
            action: action,
            object: object,
            after: after
        )
    }
}
