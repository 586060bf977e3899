import JSON
import Testing

@testable import AutomationEngineCore

/// What a definition may say of concurrency, rates and dedupe keys.
@Suite("Admission in definitions")
struct AdmissionDefinitionTests {
    private static func read(_ members: String) throws -> DefinitionReader.Outcome {
        var reader = DefinitionReader(registry: .builtIn, from: .author)
        let definition = #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform"}],\#(members)}"#
        return reader.read(try JSONDocument(parsing: definition).root, at: .root)
    }

    private static func policy(_ members: String) throws -> AdmissionPolicy? {
        guard case .definition(let definition) = try read(members) else {
            return nil
        }
        return definition.admission
    }

    @Test("A16: what is left out has its documented default, never the least value")
    func defaults() throws {
        let policy = try #require(
            try Self.policy(
                #""concurrency":{"limit":3},"rate_limit":{"limit":5,"per":"1m"},"dedupe":{"key":"x","window":"2h"}"#
            )
        )
        #expect(policy.concurrency?.onLimit == .queue && policy.concurrency?.key == nil)
        #expect(policy.concurrency?.limit == 3)
        #expect(policy.rate?.onLimit == .queue && policy.rate?.key == nil && policy.rate?.window == .seconds(60))
        #expect(policy.dedupe?.endsWithRun == false && policy.dedupe?.window == .seconds(7_200))
        #expect(try Self.policy(#""concurrency":{"limit":10000,"on_limit":"cancel_running"}"#)?.rate == nil)
        #expect(try Self.policy(#""dedupe":{"key":"x","window":"2h","until":"end"}"#)?.dedupe?.endsWithRun == true)
    }

    @Test(
        "A16: an explicit nought, and whatever makes no sense, is refused where it stands",
        arguments: [
            (#""concurrency":{"limit":0}"#, ["/concurrency/limit"]),
            (#""concurrency":{"limit":10001}"#, ["/concurrency/limit"]),
            (#""concurrency":{"limit":1.5}"#, ["/concurrency/limit"]),
            (#""concurrency":{"limit":"1"}"#, ["/concurrency/limit"]),
            (#""concurrency":{}"#, ["/concurrency/limit"]),
            (#""concurrency":null"#, ["/concurrency"]),
            (#""concurrency":{"limit":1,"on_limit":"wait"}"#, ["/concurrency/on_limit"]),
            (#""concurrency":{"limit":1,"of":2}"#, ["/concurrency/of"]),
            (#""concurrency":{"limit":1,"key":5}"#, ["/concurrency/key"]),
            (#""concurrency":{"limit":1,"key":"{{ run.id }}"}"#, ["/concurrency/key"]),
            (#""concurrency":{"limit":1,"key":"{{ steps.a.output }}"}"#, ["/concurrency/key"]),
            (#""concurrency":{"limit":1,"key":"{{ automation.key }}"}"#, ["/concurrency/key"]),
            (#""concurrency":{"limit":1,"key":"{{ secret:x }}"}"#, ["/concurrency/key"]),
            (#""concurrency":{"limit":1,"key":"{{ signal.data.x"}"#, ["/concurrency/key"]),
            (#""rate_limit":{"limit":0,"per":"1m"}"#, ["/rate_limit/limit"]),
            (#""rate_limit":{"limit":1}"#, ["/rate_limit/per"]),
            (#""rate_limit":{"limit":1,"per":"0s"}"#, ["/rate_limit/per"]),
            (#""rate_limit":{"limit":1,"per":"367d"}"#, ["/rate_limit/per"]),
            (#""rate_limit":{"limit":1,"per":60}"#, ["/rate_limit/per"]),
            (#""rate_limit":{"limit":1,"per":"1m","on_limit":"cancel_running"}"#, ["/rate_limit/on_limit"]),
            (#""dedupe":{"window":"1h"}"#, ["/dedupe/key"]),
            (#""dedupe":{"key":"x"}"#, ["/dedupe/window"]),
            (#""dedupe":{"key":"x","until":"end"}"#, ["/dedupe/window"]),
            (#""dedupe":{"key":"x","window":"0ms"}"#, ["/dedupe/window"]),
            (#""dedupe":{"key":"x","window":"1h","until":"start"}"#, ["/dedupe/until"]),
            (
                #""concurrency":{"limit":0},"rate_limit":{"limit":0,"per":"x"},"dedupe":[]"#,
                ["/concurrency/limit", "/rate_limit/limit", "/rate_limit/per", "/dedupe"]
            ),
        ]
    )
    func refusals(members: String, pointers: [String]) throws {
        guard case .faults(let faults) = try Self.read(members) else {
            Issue.record("\(members) is taken")
            return
        }
        #expect(faults.map(\.pointer.text) == pointers)
    }

    @Test("the JSON Schema names the members that the reader takes, with their choices")
    func schema() throws {
        let schema = DefinitionSchema.automation(.builtIn)
        let definition = try #require(schema["$defs"]?["definition"]?["properties"])
        let known = [
            "concurrency": ["limit", "key", "on_limit"], "rate_limit": ["limit", "per", "key", "on_limit"],
            "dedupe": ["key", "window", "until"],
        ]
        #expect(Set(known.keys) == DefinitionReader.admissionMembers)
        for (member, names) in known {
            let properties = try #require(definition[member]?["properties"]?.objectValue)
            #expect(properties.map(\.key) == names)
            for name in names + ["nonsense"] {
                guard case .faults(let faults) = try Self.read(#""\#(member)":{"\#(name)":[]}"#) else {
                    Issue.record("\(member) is taken without its members")
                    continue
                }
                let isUnknown = faults.contains { $0.code == "unknown_member" }
                #expect(isUnknown == (name == "nonsense"), "\(member) \(name)")
            }
        }
        let choices = definition["concurrency"]?["properties"]?["on_limit"]?["enum"]?.arrayValue
        #expect(choices?.compactMap(\.stringValue) == AdmissionPolicy.OnLimit.allCases.map(\.rawValue))
    }
}
