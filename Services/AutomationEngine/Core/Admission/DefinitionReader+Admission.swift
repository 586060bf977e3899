import Domain
import JSON
import Templates

extension DefinitionReader {
    /// The members of a definition that say which of its runs may begin, and when.
    static let admissionMembers: Set<String> = ["concurrency", "rate_limit", "dedupe"]
    /// The greatest limit of runs.
    static let maximumLimit: Int64 = 10_000
    /// The longest time of a rate, and of a dedupe key.
    static let maximumWindow = Duration.seconds(366 * 86_400)

    /// Reads what a definition says about which of its runs may begin; the faults are noted.
    mutating func readAdmission(_ definition: JSONView, at pointer: JSONPointer) -> AdmissionPolicy {
        AdmissionPolicy(
            concurrency: readConcurrency(definition["concurrency"], at: pointer.appending("concurrency")),
            rate: readRate(definition["rate_limit"], at: pointer.appending("rate_limit")),
            dedupe: readDedupe(definition["dedupe"], at: pointer.appending("dedupe"))
        )
    }

    private mutating func readConcurrency(
        _ concurrency: JSONView?,
        at pointer: JSONPointer
    ) -> AdmissionPolicy.Concurrency? {
        guard let concurrency = object(concurrency, known: ["limit", "key", "on_limit"], at: pointer) else {
            return nil
        }
        let limit = readLimit(concurrency["limit"], at: pointer.appending("limit"))
        let key = readKey(concurrency["key"], at: pointer.appending("key"))
        let onLimit = readOnLimit(
            concurrency["on_limit"],
            of: AdmissionPolicy.OnLimit.allCases,
            at: pointer.appending("on_limit")
        )
        guard let limit, let onLimit else {
            return nil
        }
        return AdmissionPolicy.Concurrency(limit: limit, key: key, onLimit: onLimit)
    }

    private mutating func readRate(_ rate: JSONView?, at pointer: JSONPointer) -> AdmissionPolicy.Rate? {
        guard let rate = object(rate, known: ["limit", "per", "key", "on_limit"], at: pointer) else {
            return nil
        }
        let limit = readLimit(rate["limit"], at: pointer.appending("limit"))
        let window = readWindow(rate["per"], at: pointer.appending("per"))
        let key = readKey(rate["key"], at: pointer.appending("key"))
        let onLimit = readOnLimit(rate["on_limit"], of: [.queue, .skip], at: pointer.appending("on_limit"))
        guard let limit, let window, let onLimit else {
            return nil
        }
        return AdmissionPolicy.Rate(limit: limit, window: window, key: key, onLimit: onLimit)
    }

    private mutating func readDedupe(_ dedupe: JSONView?, at pointer: JSONPointer) -> AdmissionPolicy.Dedupe? {
        guard let dedupe = object(dedupe, known: ["key", "window", "until"], at: pointer) else {
            return nil
        }
        if dedupe["key"] == nil {
            add(pointer.appending("key"), "required", "dedupe needs a key.")
        }
        let key = readKey(dedupe["key"], at: pointer.appending("key"))
        let window = readWindow(dedupe["window"], at: pointer.appending("window"))
        let until = dedupe["until"]
        if let until, until.stringValue != "end" {
            add(pointer.appending("until"), "invalid_value", "until is \"end\", or is left out.")
        }
        guard let key, let window else {
            return nil
        }
        return AdmissionPolicy.Dedupe(key: key, window: window, endsWithRun: until != nil)
    }

    private mutating func object(_ view: JSONView?, known: Set<String>, at pointer: JSONPointer) -> JSONView? {
        guard let view else {
            return nil
        }
        guard view.kind == .object else {
            add(pointer, "invalid_type", "This must be an object.")
            return nil
        }
        refuseUnknown(view, known: known, at: pointer)
        return view
    }

    private mutating func readLimit(_ limit: JSONView?, at pointer: JSONPointer) -> Int? {
        if limit == nil {
            add(pointer, "required", "A limit is needed.")
        }
        return readCount(limit, upTo: Self.maximumLimit, at: pointer)
    }

    private mutating func readWindow(_ window: JSONView?, at pointer: JSONPointer) -> Duration? {
        guard window != nil else {
            add(pointer, "required", "A duration is needed, such as \"10m\".")
            return nil
        }
        guard let duration = readDuration(window, at: pointer) else {
            return nil
        }
        guard duration > .zero, duration <= Self.maximumWindow else {
            add(pointer, "invalid_value", "This is from 1ms to 366d.")
            return nil
        }
        return duration
    }

    private mutating func readOnLimit(
        _ onLimit: JSONView?,
        of choices: [AdmissionPolicy.OnLimit],
        at pointer: JSONPointer
    ) -> AdmissionPolicy.OnLimit? {
        guard let onLimit else {
            return .queue
        }
        guard let choice = onLimit.stringValue.flatMap(AdmissionPolicy.OnLimit.init(rawValue:)),
            choices.contains(choice)
        else {
            let names = choices.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            add(pointer, "invalid_value", "on_limit is one of \(names).")
            return nil
        }
        return choice
    }

    /// Reads a template over the signal alone: nothing else is known before there is a run.
    private mutating func readKey(_ key: JSONView?, at pointer: JSONPointer) -> Template? {
        guard let key else {
            return nil
        }
        guard key.kind == .string else {
            add(pointer, "invalid_type", "The key is a text with templates, such as \"{{ signal.data.id }}\".")
            return nil
        }
        let before = faults.count
        do throws(TemplateFaults) {
            let template = try Template(compiling: key, at: pointer)
            let others = template.references.filter { $0.root != "signal" }
            for reference in others {
                add(
                    reference.pointer,
                    "not_readable_here",
                    "The key may read signal alone, and not \(reference.description): there is no run yet."
                )
            }
            if others.isEmpty {
                for fault in template.check(steps: []) { add(fault.pointer, fault.code.rawValue, fault.message) }
            }
            for secret in template.secrets {
                add(secret.pointer, "not_readable_here", "The key may not read secrets: it is stored and shown.")
            }
            return faults.count == before ? template : nil
        } catch {
            for fault in error.faults {
                add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return nil
        }
    }
}
