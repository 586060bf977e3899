import Foundation
import MerkleLog
import TestSupport

/// Entries that the log should not have taken, all hashes and signatures being right.
extension Forgery {
    /// A log in which one entry is another text, all hashes and signatures being right.
    private static func form(
        _ name: String,
        _ change: @escaping @Sendable (String) -> String
    ) -> Forgery {
        Forgery("have an entry with \(name)") { base, random in
            var log = base.log
            // A scope excludes entries of others for a reason of its own.
            let index = base.entries.indices.filter { base.entries[$0] != nil }.randomElement(using: &random) ?? 0
            log.replace(index, Array(change(String(decoding: log.entries[index], as: UTF8.self)).utf8))
            let absent = Set(base.entries.indices.filter { base.entries[$0] == nil && base.tenant == nil })
            let export = try TestExport(log, absent: absent, tenant: base.tenant)
            return MutationCase("\(index)", VerifierInput(export), .bad("entry", index))
        }
    }

    private static func form(_ text: String, for pattern: String) -> Forgery {
        form("\(text) for \(pattern)") {
            $0.replacingOccurrences(of: pattern, with: text, options: .regularExpression)
        }
    }

    static let forms: [Forgery] = [
        form("members in another order") { "{\"v\":1," + $0.dropFirst().dropLast(7) + "}" },
        form("white space") { $0.replacingOccurrences(of: ",\"v\"", with: ", \"v\"") },
        form("a line feed at the end") { $0 + "\n" },
        form("a member twice") { $0.replacingOccurrences(of: ",\"v\":1", with: ",\"v\":1,\"v\":1") },
        form("an escape that is not needed") { $0.replacingOccurrences(of: "\"time\"", with: "\"\\u0074ime\"") },
        form("no version") { $0.replacingOccurrences(of: ",\"v\":1", with: "") },
        form(#""v":2"#, for: #""v":1"#), form(#""v":"1""#, for: #""v":1"#), form(#""v":1.0"#, for: #""v":1"#),
        form(#""v":-1"#, for: #""v":1"#), form(#""id":"""#, for: #""id":"01[^"]*""#),
        form(#""id":1"#, for: #""id":"01[^"]*""#),
        form(#""time":null"#, for: #""time":"[^"]*""#), form(#""tenant":"""#, for: #""tenant":"[^"]*""#),
        form(#""producer":[]"#, for: #""producer":"[^"]*""#), form(#""epoch":0"#, for: #""epoch":[0-9]+"#),
        form(#""epoch":1.5"#, for: #""epoch":[0-9]+"#), form(#""seq":0"#, for: #""seq":[0-9]+"#),
        form(#""seq":9007199254740992"#, for: #""seq":[0-9]+"#), form(#""seq":"1""#, for: #""seq":[0-9]+"#),
        form(#""seq":1e+21"#, for: #""seq":[0-9]+"#), form(#""action":"""#, for: #""action":"[^"]*""#),
        form(#""actor":"w""#, for: #""actor":[{][^}]*[}]"#), form(#""object":null"#, for: #""object":[{][^}]*[}]"#),
        form(#""objects":{}"#, for: #""object":[{][^}]*[}]"#),
        form("a text without its end") { _ in "{\"" }, form("nothing in it") { _ in "{}" },
        form("another kind of value") { _ in "[]" },
        Forgery("have two entries with one id") { base, random in
            var log = TestLog(entries: base.size, variant: 5)
            let (left, right) = (0, Int.random(in: 1..<base.size, using: &random))
            let ids = [left, right].map { index in
                String(decoding: log.entries[index], as: UTF8.self).components(separatedBy: "\"id\":\"01")[1]
                    .prefix(34)
            }
            let text = String(decoding: log.entries[right], as: UTF8.self)
            log.replace(right, Array(text.replacingOccurrences(of: ids[1], with: ids[0]).utf8))
            return MutationCase("\(right)", VerifierInput(try TestExport(log)), .bad("entry", right))
        },
    ]
}
