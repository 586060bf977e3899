import ArgumentParser
import Foundation

/// Which entries of the log are asked for.
struct AuditSearchOptions: ParsableArguments {
    @Option(name: .long, help: "Of objects of this type, such as automation.")
    var objectType: String?

    @Option(name: .long, help: "Of the object with this id.")
    var objectID: String?

    @Option(name: .long, help: "Of what this token or service has done.")
    var actor: String?

    @Option(name: .long, help: "Of this action, such as activate.")
    var action: String?

    @Option(name: .long, help: "Of this trace.")
    var traceID: String?

    @Option(name: .long, help: "From this time on, of RFC 3339.")
    var from: String?

    @Option(name: .long, help: "Before this time.")
    var until: String?

    @Option(
        name: .long,
        help: "Of this tenant, or of every one with '*'; a token of the tenant batuta may ask for another than its own."
    )
    var tenant: String?

    /// The parameters of a request; none where every entry is asked for.
    var query: [URLQueryItem] {
        [
            ("object_type", objectType), ("object_id", objectID), ("actor", actor), ("action", action),
            ("trace_id", traceID), ("from", from), ("until", until), ("tenant", tenant),
        ]
        .compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
    }
}
