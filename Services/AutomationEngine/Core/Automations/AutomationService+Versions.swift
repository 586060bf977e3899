import Contracts
import FoundationEssentials
import JSON
import Messaging
import Persistence

extension AutomationService {
    /// Lists the versions of an automation, newest first.
    func versions(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        let automation = try await automation(in: body, context)
        let before = try page.cursor.map { cursor in
            guard let number = Int(cursor), number >= 1 else {
                throw Problem(.invalidCursor)
            }
            return number
        }
        let versions = try await repository.versions(of: automation.id, before: before, limit: page.limit + 1)
        return Reply(
            status: 200,
            body: page.answer(versions, cursor: { String($0.number) }) { version, writer in
                version.write(to: &writer, isWhole: false)
            }
        )
    }

    /// Reads one version whole.
    func version(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let automation = try await automation(in: body, context)
        let version = try await storedVersion(try versionNumber(body.root["version"]), of: automation)
        var writer = JSONWriter()
        version.write(to: &writer, isWhole: true)
        return Reply(status: 200, body: writer.bytes)
    }

    /// Compares two versions: what was added, removed and replaced in name, description and definition.
    ///
    /// Without `to` the newest version is compared; without `from`, the one before that.
    func diff(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let automation = try await automation(in: body, context)
        let to = try body.root["to"].map { try versionNumber($0) } ?? automation.version
        let from = try body.root["from"].map { try versionNumber($0) } ?? max(1, to - 1)
        let before = try await storedVersion(from, of: automation)
        let after = try await storedVersion(to, of: automation)
        let differences = try JSONDocument(parsing: before.content.bytes, limits: .wrapped).root
            .differences(to: try JSONDocument(parsing: after.content.bytes, limits: .wrapped).root)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("from", Int64(from))
        writer.member("to", Int64(to))
        writer.key("changes")
        writer.beginArray()
        for difference in differences {
            writer.difference(difference)
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// The number of a version in a request.
    func versionNumber(_ view: JSONView?) throws -> Int {
        guard let number = view?.int64Value, let version = Int(exactly: number), version >= 1 else {
            throw Problem.versionNotFound
        }
        return version
    }

    private func automation(in body: JSONDocument, _ context: RequestContext) async throws -> Automation {
        guard let automation = try await repository.find(try reference(in: body), tenant: context.tenant) else {
            throw Problem.automationNotFound
        }
        return automation
    }

    private func storedVersion(_ number: Int, of automation: Automation) async throws -> AutomationVersion {
        guard let version = try await repository.version(number, of: automation.id) else {
            throw Problem.versionNotFound
        }
        return version
    }
}

extension JSONWriter {
    /// A difference in the words of JSON Patch (RFC 6902), with what stood there before.
    fileprivate mutating func difference(_ difference: JSONDifference) {
        beginObject()
        member("op", difference.before == nil ? "add" : difference.after == nil ? "remove" : "replace")
        member("pointer", difference.pointer.text)
        if let before = difference.before {
            key("before")
            raw(before.rawBytes)
        }
        if let after = difference.after {
            key("after")
            raw(after.rawBytes)
        }
        endObject()
    }
}
