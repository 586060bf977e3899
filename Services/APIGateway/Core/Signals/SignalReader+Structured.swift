import CloudEvents
import Contracts
import Domain
import FoundationEssentials
import JSON
import ServiceRuntime

extension SignalReader {
    /// A CloudEvent in structured form, with our stamps; what it says itself stays as it came.
    func structured(
        _ document: JSONDocument,
        _ signalID: UUID,
        _ traceparent: String,
        _ tenant: Tenant
    ) throws(GatewayProblem) -> IncomingSignal {
        let event: CloudEvent
        do {
            event = try CloudEvent(structured: document)
        } catch {
            throw GatewayProblem(.invalidEvent, faults: error.faults.map { GatewayProblem.Fault($0) })
        }
        let faults = Self.faults(in: event)
        guard faults.isEmpty else {
            throw GatewayProblem(.invalidEvent, faults: faults)
        }
        // A trace that breaks the rules stays in the event as it came, and counts for nothing else.
        let ownTrace = event[extension: "traceparent"]?.stringValue
        var stamps: [(name: String, value: String)] = [("batutasignalid", signalID.lowercased)]
        if ownTrace == nil {
            stamps.append(("traceparent", traceparent))
        }
        let base64 = event.dataBase64.map { Array($0.utf8)[...] }
        return IncomingSignal(
            signalID: signalID,
            tenant: tenant,
            type: event.type,
            source: event.source,
            id: event.id,
            digest: Self.digest(type: event.type, data: event.data ?? base64 ?? []),
            event: event.structuredBytes(extra: stamps),
            traceparent: ownTrace.flatMap { TraceContext(traceparent: $0) } == nil ? traceparent : ownTrace
        )
    }

    /// What we refuse beyond the specification: long names, a NUL or other control character in them, our own attributes.
    private static func faults(in event: CloudEvent) -> [GatewayProblem.Fault] {
        var faults = [
            SignalFault.ofText("id", event.id, longest: longestName),
            SignalFault.ofText("source", event.source, longest: longestName),
            SignalFault.ofText("type", event.type, longest: longestType),
        ].compactMap(\.self)
        for attribute in event.extensions where attribute.name.hasPrefix(reservedPrefix) {
            faults.append(SignalFault.reserved(attribute.name))
        }
        return faults
    }
}

extension GatewayProblem.Fault {
    /// A fault that the reading of the event has found.
    fileprivate init(_ fault: CloudEventError.Fault) {
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
        default: "No es válido."
        }
    }
}
