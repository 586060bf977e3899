import HTTPTypes
import JSON
import Secrets

/// How the publisher of a generic source signs: HMAC-SHA256 of the raw body, in a header of its own.
struct HookSignature: Sendable, Equatable {
    let header: HTTPField.Name
    let encoding: BodySignatureVerifier.Encoding
    /// What stands before the code.
    let prefix: String

    private static let members: Set<String> = ["header", "algorithm", "encoding", "prefix"]
    private static let algorithm = "sha256"
    private static let longestHeader = 64
    private static let longestPrefix = 32
    private static let words = ["signature", "mac"]

    /// Reads a signature's form; faults are added to those of the body around it.
    init?(_ view: JSONView, faults: inout [GatewayProblem.Fault]) {
        let place = JSONPointer(tokens: ["signature"])
        guard view.kind == .object else {
            faults.append(.wrong(place.text, Sentence("It must be an object.", "Debe ser un objeto.")))
            return nil
        }
        let before = faults.count
        for member in view.members where !Self.members.contains(member.key) {
            faults.append(.unknown(at: place.appending(member.key)))
        }
        let header = Self.header(view["header"], at: place.appending("header"), faults: &faults)
        if let algorithm = view.present("algorithm"), algorithm.stringValue != Self.algorithm {
            let text = Self.algorithm
            faults.append(
                .wrong(place.appending("algorithm").text, Sentence("It must be \(text).", "Debe ser \(text)."))
            )
        }
        let encoding = Self.encoding(view.present("encoding"), at: place.appending("encoding"), faults: &faults)
        let prefix = Self.prefix(view.present("prefix"), at: place.appending("prefix"), faults: &faults)
        guard faults.count == before, let header else {
            return nil
        }
        self.header = header
        self.encoding = encoding
        self.prefix = prefix
    }

    /// The form as it is stored and shown, every member said.
    var text: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("header", header.rawName)
        writer.member("algorithm", Self.algorithm)
        writer.member("encoding", encoding.rawValue)
        writer.member("prefix", prefix)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Whether a header can hold a signature, by its name.
    ///
    /// The name alone has to tell, so that a webhook with none can be refused before anybody looks for its source.
    static func isSigning(_ name: HTTPField.Name) -> Bool {
        words.contains { name.canonicalName.contains($0) }
    }

    private static func header(
        _ view: JSONView?,
        at place: JSONPointer,
        faults: inout [GatewayProblem.Fault]
    ) -> HTTPField.Name? {
        let name = view?.stringValue.flatMap { $0.utf8.count <= longestHeader ? HTTPField.Name($0) : nil }
        guard let name, isSigning(name) else {
            faults.append(
                .wrong(
                    place.text,
                    Sentence(
                        "It must be the name of a header of at most \(longestHeader) bytes, with signature or mac in it.",
                        "Debe ser el nombre de una cabecera de \(longestHeader) bytes como máximo, con signature o mac."
                    )
                )
            )
            return nil
        }
        return name
    }

    private static func encoding(
        _ view: JSONView?,
        at place: JSONPointer,
        faults: inout [GatewayProblem.Fault]
    ) -> BodySignatureVerifier.Encoding {
        guard let view else {
            return .hexadecimal
        }
        guard let encoding = view.stringValue.flatMap({ BodySignatureVerifier.Encoding(rawValue: $0) }) else {
            let all = BodySignatureVerifier.Encoding.allCases.map(\.rawValue).joined(separator: ", ")
            faults.append(.wrong(place.text, Sentence("It must be one of \(all).", "Debe ser uno de \(all).")))
            return .hexadecimal
        }
        return encoding
    }

    private static func prefix(
        _ view: JSONView?,
        at place: JSONPointer,
        faults: inout [GatewayProblem.Fault]
    ) -> String {
        guard let view else {
            return ""
        }
        guard let text = view.stringValue, text.utf8.count <= longestPrefix,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            faults.append(
                .wrong(
                    place.text,
                    Sentence(
                        "It must be at most \(longestPrefix) visible characters of ASCII.",
                        "Debe tener como máximo \(longestPrefix) caracteres visibles de ASCII."
                    )
                )
            )
            return ""
        }
        return text
    }
}

extension GatewayProblem.Fault {
    fileprivate static func unknown(at place: JSONPointer) -> Self {
        Self(
            pointer: place.text,
            code: "unknown_member",
            Sentence(
                "A signature has header, algorithm, encoding and prefix.",
                "Una firma tiene header, algorithm, encoding y prefix."
            )
        )
    }
}
