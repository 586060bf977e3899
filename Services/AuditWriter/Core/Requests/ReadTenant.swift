import Contracts
import JSON
import Messaging

/// Whose entries somebody reads.
///
/// The auditors and administrators of the installation, those of its own tenant, may read the entries of any tenant; all
/// others read those of theirs.
enum ReadTenant: Sendable, Equatable {
    case one(String)
    case every

    /// The tenant whose auditors may read the log of every tenant.
    static let installation = "batuta"
    /// What stands for every tenant in a request.
    static let everyName = "*"

    /// Reads what is asked for; without a word about it the caller's own tenant.
    ///
    /// - Throws: `Problem` with code `forbidden` for what the caller may not read.
    init(_ asked: JSONView?, _ context: RequestContext) throws(Problem) {
        guard let name = asked?.stringValue, name != context.tenant else {
            self = .one(context.tenant)
            return
        }
        guard context.tenant == Self.installation else {
            throw Problem(
                .forbidden,
                "Only a token of the tenant \(Self.installation) reads the log of other tenants.",
                detailES: "Solo un token del inquilino \(Self.installation) lee el registro de otros inquilinos."
            )
        }
        self = name == Self.everyName ? .every : .one(name)
    }

    /// The key of the tenant; nil for every one.
    var key: String? {
        switch self {
        case .one(let key): key
        case .every: nil
        }
    }

    /// What the audit log says of it: nothing where it is the caller's own.
    func recorded(_ context: RequestContext) -> String? {
        self == .one(context.tenant) ? nil : key ?? Self.everyName
    }
}
