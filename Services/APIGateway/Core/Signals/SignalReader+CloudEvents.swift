import CloudEvents
import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import ServiceRuntime

extension SignalReader {
    /// A CloudEvent in structured form.
    func structured(_ document: JSONDocument, _ stamps: SignalStamps) throws(GatewayProblem) -> IncomingSignal {
        do {
            let event = try CloudEvent(structured: document)
            try Self.check([event], at: [.root])
            return Self.stamped(event, stamps)
        } catch {
            throw Self.problem(of: error)
        }
    }

    /// A batch: one event that is not valid, or too large, refuses all of them.
    func batched(_ document: JSONDocument, _ stamps: SignalStamps) throws -> [IncomingSignal] {
        let places = (0..<document.root.count).map { JSONPointer.root.appending($0) }
        let large = zip(places, document.root.elements).filter { $1.byteRange.count > limits.signal }
        guard large.isEmpty || document.root.kind != .array else {
            throw tooLarge(at: large.map(\.0))
        }
        do {
            let events = try CloudEvent.batch(document)
            try Self.check(events, at: places)
            return events.map { Self.stamped($0, stamps) }
        } catch {
            throw Self.problem(of: error)
        }
    }

    /// A CloudEvent in binary form; what counts is how large it is in structured form.
    func binary(_ request: GatewayRequest, _ stamps: SignalStamps) throws -> IncomingSignal {
        do {
            let fields = request.headers.lazy.map { (name: $0.name.rawName, value: $0.value) }
            let event = try CloudEvent(binary: fields, body: request.body)
            try Self.check([event], at: [.root])
            guard event.structuredBytes().count <= limits.signal else {
                throw tooLarge(at: [])
            }
            return Self.stamped(event, stamps)
        } catch {
            throw Self.problem(of: error)
        }
    }

    /// An event with our stamps; what it says itself stays as it came.
    static func stamped(_ event: CloudEvent, _ stamps: SignalStamps) -> IncomingSignal {
        let signalID = UUIDv7.make()
        // A trace that breaks the rules stays in the event as it came, and counts for nothing else.
        let ownTrace = event[extension: "traceparent"]?.stringValue
        var extra: [(name: String, value: String)] = [("batutasignalid", signalID.lowercased)]
        if let requester = stamps.requester { extra.append((SignalsAcceptedV1.requesterAttribute, requester)) }
        if ownTrace == nil {
            extra.append(("traceparent", stamps.traceparent))
        }
        let base64 = event.dataBase64.map { Array($0.utf8)[...] }
        return IncomingSignal(
            signalID: signalID,
            tenant: stamps.tenant,
            type: event.type,
            source: event.source,
            id: event.id,
            digest: digest(type: event.type, data: event.data ?? base64 ?? []),
            event: event.structuredBytes(extra: extra),
            traceparent: ownTrace.flatMap { TraceContext(traceparent: $0) } == nil ? stamps.traceparent : ownTrace
        )
    }

    /// An event of our own making with our stamps, once it was found to be one that we take.
    static func checked(_ event: CloudEvent, _ stamps: SignalStamps) throws(GatewayProblem) -> IncomingSignal {
        try check([event], at: [.root])
        return stamped(event, stamps)
    }

    /// What our stamps add to an event at most.
    static let stampBytes = 160

    /// Looks for what we refuse beyond the specification: long names, a NUL or other control character in them, our own
    /// attributes.
    private static func check(_ events: [CloudEvent], at places: [JSONPointer]) throws(GatewayProblem) {
        var faults: [GatewayProblem.Fault] = []
        for (event, place) in zip(events, places) where faults.count < mostFaults {
            faults += [
                SignalFault.ofText("id", event.id, longest: longestName, at: place),
                SignalFault.ofText("source", event.source, longest: longestName, at: place),
                SignalFault.ofText("type", event.type, longest: longestType, at: place),
            ]
            .compactMap(\.self)
            for attribute in event.extensions where attribute.name.hasPrefix(reservedPrefix) {
                faults.append(SignalFault.reserved(attribute.name, at: place))
            }
        }
        guard faults.isEmpty else {
            throw GatewayProblem(.invalidEvent, faults: Array(faults.prefix(mostFaults)))
        }
    }

    /// Input must not decide how large an answer is.
    private static let mostFaults = 64

    private static func problem(of error: any Error) -> GatewayProblem {
        guard let error = error as? CloudEventError else {
            return GatewayProblem(error)
        }
        return GatewayProblem(.invalidEvent, faults: error.faults.map { GatewayProblem.Fault($0) })
    }

    private func tooLarge(at places: [JSONPointer]) -> GatewayProblem {
        let sentence = Sentence(
            "A signal has at most \(limits.signal) bytes in structured form.",
            "Una señal tiene como máximo \(limits.signal) bytes en forma estructurada."
        )
        return GatewayProblem(
            .tooLarge,
            sentence,
            faults: places.map { GatewayProblem.Fault(pointer: $0.text, code: "too_large", sentence) }
        )
    }
}

extension GatewayProblem.Fault {
    /// A fault that the reading of the event has found.
    init(_ fault: CloudEventError.Fault) {
        self.init(
            pointer: fault.pointer.text,
            code: fault.code.rawValue,
            Sentence(fault.detail, Self.spanish(fault.code))
        )
    }

    private static func spanish(_ code: CloudEventError.Code) -> String {
        switch code {
        case .notAnObject: "Debe ser un objeto JSON."
        case .missing: "Es obligatorio."
        case .wrongType: "No es del tipo que debe ser."
        case .empty: "No debe estar vacío."
        case .tooLong: "Es demasiado largo."
        case .unsupportedVersion: "Solo se admite la versión 1.0."
        case .invalidName: "El nombre del atributo no es válido."
        case .forbiddenCharacter: "Contiene un carácter prohibido."
        case .invalidInteger: "No es un entero de 32 bits."
        case .invalidURI: "No es un URI válido."
        case .invalidMediaType: "No es un tipo de contenido válido."
        case .invalidTime: "No es una fecha de RFC 3339."
        case .invalidBase64: "No es Base64 válido."
        case .conflictingData: "No puede haber data y data_base64 a la vez."
        case .notAnArray: "Debe ser una lista JSON de eventos."
        case .invalidEncoding: "La cabecera no es UTF-8 codificado con porcentajes."
        case .misplaced: "No es una cabecera de la forma binaria: lo dicen Content-Type y el cuerpo."
        case .repeated: "La cabecera está repetida."
        case .invalidJSON: "El cuerpo no es el JSON que promete su tipo de contenido."
        default: "No es válido."
        }
    }
}
