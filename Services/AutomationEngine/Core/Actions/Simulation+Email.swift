import Domain
import JSON
import Mail

extension Simulation {
    /// What a step of `notify.email` would send, and to how many; nothing of it leaves the engine.
    ///
    /// - Parameters:
    ///   - input: The resolved input, with something else in the place of secrets.
    ///   - recorded: The same with the references of secrets in their place.
    ///   - run: The dry run.
    /// - Throws: What is wrong with the input.
    init(email input: [UInt8], recorded: [UInt8], run: RunRecord) throws(StepError) {
        var message = try MailCall(Self.withoutSecretAddresses(input, recorded: recorded)).message
        message.key = run.id.lowercased
        let recipients = message.recipients
        let parts = [message.text.map { ("a text", $0) }, message.html.map { ("HTML", $0) }].compactMap(\.self)
            .map { "\($0.0) of \($0.1.utf8.count) bytes" }
        let whom = recipients.count == 1 ? "1 recipient" : "\(recipients.count) recipients"
        self.init(
            would: "Send a mail with \(parts.joined(separator: " and ")) to \(whom).",
            output: MailPerformer.output(id: "<\(message.key)@simulated.invalid>", accepted: recipients)
        )
    }

    /// Puts addresses that can be read in the place of those that hold a secret, which may be any part of them.
    private static func withoutSecretAddresses(_ input: [UInt8], recorded: [UInt8]) -> [UInt8] {
        guard input != recorded, let root = try? JSONDocument(parsing: input, limits: .wrapped).root,
            let stated = try? JSONDocument(parsing: recorded, limits: .wrapped).root
        else {
            return input
        }
        var writer = JSONWriter(capacity: input.count)
        writer.beginObject()
        for member in root.members {
            writer.key(member.key)
            let recorded = stated[member.key]
            if MailCall.addressMembers.contains(member.key), member.value.rawBytes != recorded?.rawBytes {
                write(member.value, recorded: recorded, name: member.key, to: &writer)
            } else {
                writer.raw(member.value.rawBytes)
            }
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ value: JSONView, recorded: JSONView?, name: String, to writer: inout JSONWriter) {
        guard value.kind == .array, let recorded, recorded.kind == .array else {
            writer.string("\(name)@secret.invalid")
            return
        }
        writer.beginArray()
        for (index, (element, stated)) in zip(value.elements, recorded.elements).enumerated() {
            if element.rawBytes == stated.rawBytes {
                writer.raw(element.rawBytes)
            } else {
                writer.string("\(name)-\(index)@secret.invalid")
            }
        }
        writer.endArray()
    }
}
