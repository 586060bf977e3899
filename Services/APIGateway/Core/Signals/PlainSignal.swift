import Contracts
import Domain
import FoundationEssentials
import JSON

/// A plain `{"type", "data"}`, for people with curl; `id` and `source` are optional.
struct PlainSignal {
    private let type: String
    private let id: String
    private let source: String
    private let data: ArraySlice<UInt8>?

    private static let members: Set<String> = ["type", "data", "id", "source"]

    /// Reads a body; a problem names every fault.
    init(_ body: JSONView, defaultID: String) throws(GatewayProblem) {
        guard body.kind == .object else {
            throw GatewayProblem(
                .invalidEvent,
                Sentence("The body must be a JSON object.", "El cuerpo debe ser un objeto JSON.")
            )
        }
        var faults: [GatewayProblem.Fault] = []
        for member in body.members where !Self.members.contains(member.key) {
            faults.append(.unknownMember(member.key))
        }
        func text(_ name: String, default absent: String?, longest: Int) -> String {
            guard let value = body[name], absent == nil || !value.isNull else {
                if absent == nil {
                    faults.append(SignalFault.missing(name))
                }
                return absent ?? ""
            }
            guard let text = value.stringValue else {
                faults.append(SignalFault.notText(name))
                return ""
            }
            if let fault = SignalFault.ofText(name, text, longest: longest) {
                faults.append(fault)
            }
            return text
        }
        type = text("type", default: nil, longest: SignalReader.longestType)
        id = text("id", default: defaultID, longest: SignalReader.longestName)
        source = text("source", default: SignalReader.defaultSource, longest: SignalReader.longestName)
        data = body["data"]?.rawBytes
        guard faults.isEmpty else {
            throw GatewayProblem(
                .invalidEvent,
                Sentence("The signal is not valid.", "La señal no es válida."),
                faults: faults
            )
        }
    }

    /// The signal as a CloudEvent, with our stamps.
    func signal(signalID: UUID, _ stamps: SignalStamps) -> IncomingSignal {
        var writer = JSONWriter(capacity: (data?.count ?? 0) + 384)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", id)
        writer.member("source", source)
        writer.member("type", type)
        writer.member("datacontenttype", "application/json")
        writer.member("batutasignalid", signalID.lowercased)
        if let requester = stamps.requester { writer.member(SignalsAcceptedV1.requesterAttribute, requester) }
        writer.member("traceparent", stamps.traceparent)
        if let data {
            writer.key("data")
            writer.raw(data)
        }
        writer.endObject()
        return IncomingSignal(
            signalID: signalID,
            tenant: stamps.tenant,
            type: type,
            source: source,
            id: id,
            digest: SignalReader.digest(type: type, data: data ?? []),
            event: writer.bytes,
            traceparent: stamps.traceparent
        )
    }
}

/// What can be wrong with the attributes of a signal.
enum SignalFault {
    /// What is wrong with the text of an attribute that is part of a key, or nil.
    static func ofText(
        _ name: String,
        _ text: String,
        longest: Int,
        at place: JSONPointer = .root
    ) -> GatewayProblem.Fault? {
        if text.isEmpty {
            return fault(name, "empty", Sentence("It must not be empty.", "No debe estar vacío."), at: place)
        }
        if text.utf8.count > longest {
            return fault(
                name,
                "too_long",
                Sentence("It must have at most \(longest) bytes.", "Debe tener como máximo \(longest) bytes."),
                at: place
            )
        }
        let hasControl = text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        if hasControl {
            return fault(
                name,
                "control_character",
                Sentence("It must not hold control characters.", "No debe contener caracteres de control."),
                at: place
            )
        }
        return nil
    }

    static func missing(_ name: String) -> GatewayProblem.Fault {
        fault(name, "missing", Sentence("It is required.", "Es obligatorio."))
    }

    static func notText(_ name: String) -> GatewayProblem.Fault {
        fault(name, "not_text", Sentence("It must be a text.", "Debe ser un texto."))
    }

    static func reserved(_ name: String, at place: JSONPointer) -> GatewayProblem.Fault {
        fault(
            name,
            "reserved",
            Sentence(
                "Attributes that begin with batuta are reserved.",
                "Los atributos que empiezan por batuta están reservados."
            ),
            at: place
        )
    }

    private static func fault(
        _ name: String,
        _ code: String,
        _ sentence: Sentence,
        at place: JSONPointer = .root
    ) -> GatewayProblem.Fault {
        GatewayProblem.Fault(pointer: place.appending(name).text, code: code, sentence)
    }
}
