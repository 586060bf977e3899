import JSON

/// Where the parts of a signal stand in a publisher's body.
struct HookMapping: Sendable, Equatable {
    var type: JSONPointer?
    var id: JSONPointer?
    var source: JSONPointer?
    var subject: JSONPointer?
    var time: JSONPointer?
    /// What becomes the event's data; the whole body where it is nil.
    var data: JSONPointer?
    /// What is kept of the data; all of it where it is nil.
    var keep: KeepTree?

    /// The most bytes of a mapping's text: it stands in the audit entry of its source.
    static let maximumBytes = 4_096
    private static var attributes: [String: WritableKeyPath<HookMapping, JSONPointer?>] {
        ["type": \.type, "id": \.id, "source": \.source, "subject": \.subject, "time": \.time, "data": \.data]
    }

    init() {}

    /// Reads a mapping; faults are added to those of the body around it.
    init(_ view: JSONView, of kind: HookKind, faults: inout [GatewayProblem.Fault]) {
        guard view.kind == .object, view.rawBytes.count <= Self.maximumBytes else {
            faults.append(
                .wrong(
                    "/mapping",
                    Sentence(
                        "It must be an object of at most \(Self.maximumBytes) bytes.",
                        "Debe ser un objeto de \(Self.maximumBytes) bytes como máximo."
                    )
                )
            )
            return
        }
        for member in view.members {
            let place = JSONPointer(tokens: ["mapping", member.key])
            if member.key == "keep" {
                keep = Self.keep(member.value, at: place, faults: &faults)
            } else if kind == .generic, let path = Self.attributes[member.key] {
                self[keyPath: path] = member.value.stringValue.flatMap { JSONPointer($0) }
                if self[keyPath: path] == nil {
                    faults.append(.wrong(place.text, Self.pointerSentence))
                }
            } else {
                faults.append(GatewayProblem.Fault(pointer: place.text, code: "unknown_member", Self.unknownSentence))
            }
        }
    }

    private static func keep(
        _ view: JSONView,
        at place: JSONPointer,
        faults: inout [GatewayProblem.Fault]
    ) -> KeepTree? {
        guard view.kind == .array, view.count > 0 else {
            faults.append(
                .wrong(
                    place.text,
                    Sentence("It must be a list of JSON Pointers.", "Debe ser una lista de punteros JSON.")
                )
            )
            return nil
        }
        var tree = KeepTree()
        for (index, element) in view.elements.enumerated() {
            let tokens = element.stringValue.flatMap { JSONPointer($0) }?.tokens ?? []
            guard (1...KeepTree.maximumDepth).contains(tokens.count) else {
                faults.append(.wrong(place.appending(index).text, pointerSentence))
                continue
            }
            tree.insert(tokens[...])
        }
        return tree
    }

    private static let pointerSentence = Sentence(
        "It must be a JSON Pointer such as /issue/title, of at most \(KeepTree.maximumDepth) names.",
        "Debe ser un puntero JSON como /issue/title, de \(KeepTree.maximumDepth) nombres como máximo."
    )
    private static let unknownSentence = Sentence(
        "A mapping has keep, and for generic sources type, id, source, subject, time and data.",
        "Un mapeo tiene keep y, en fuentes genéricas, type, id, source, subject, time y data."
    )
}
