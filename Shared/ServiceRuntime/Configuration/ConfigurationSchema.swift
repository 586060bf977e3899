import Configuration

/// The keys of one service: reads them, lists them, and knows the names that are not its own.
package struct ConfigurationSchema: Sendable {
    /// Names that other parts of the system read; they are neither read nor warned of.
    ///
    /// A `*` at the end matches a rest.
    package static let ignoredNames = [
        "BATUTA_ALLOW_FAULTS", "BATUTA_CASES", "BATUTA_CRASH_AT", "BATUTA_TEST_*", "BATUTA_TOKEN", "BATUTA_URL",
    ]

    /// The declarations, in the order in which they are listed.
    package let keys: [any ConfigurationDeclaration]
    private let ignored: [String]

    /// Makes a schema.
    ///
    /// - Parameters:
    ///   - keys: The declarations; a name may stand once.
    ///   - alsoKnown: Further names that are not warned of, such as the keys of services that share an environment.
    package init(_ keys: [any ConfigurationDeclaration], alsoKnown: [String] = []) {
        precondition(Set(keys.map(\.name)).count == keys.count, "a configuration key is declared twice")
        precondition(keys.allSatisfy { $0.name.hasPrefix("BATUTA_") }, "a configuration key begins with BATUTA_")
        self.keys = keys
        self.ignored = Self.ignoredNames + alsoKnown
    }

    /// Reads every key and collects every fault.
    ///
    /// An empty variable counts as an unset one.
    ///
    /// - Parameters:
    ///   - environment: The process's environment.
    ///   - files: Reads the files that `_FILE` variables name.
    /// - Returns: The values, with a warning for each unknown name.
    /// - Throws: ``ConfigurationError`` with all faults.
    package func load(
        _ environment: [String: String],
        files: SecretFiles = SecretFiles()
    ) throws(ConfigurationError) -> ServiceConfiguration {
        let secretNames = Set(keys.filter(\.isSecret).flatMap { [$0.name, $0.name + "_FILE"] })
        let reader = ConfigReader(
            provider: EnvironmentVariablesProvider(
                environmentVariables: environment,
                secretsSpecifier: .specific(secretNames)
            )
        )
        var values: [String: any Sendable] = [:]
        var entries: [ServiceConfiguration.Entry] = []
        var faults: [ConfigurationError.Fault] = []
        for key in keys {
            do {
                let (text, origin) = try text(of: key, in: reader, files: files)
                values[key.name] = try interpreted(text, as: key)
                let shown = text ?? key.defaultText
                entries.append(.init(name: key.name, shown: shown.map(key.display) ?? "", origin: origin))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults: faults) }
        return ServiceConfiguration(values: values, entries: entries, warnings: warnings(for: environment))
    }

    private func text(
        of key: any ConfigurationDeclaration,
        in reader: ConfigReader,
        files: SecretFiles
    ) throws(ConfigurationError.Fault) -> (text: String?, origin: ServiceConfiguration.Origin) {
        let direct = value(key.name, in: reader, isSecret: key.isSecret)
        let fileName = key.name + "_FILE"
        guard key.isSecret, let path = value(fileName, in: reader, isSecret: false) else {
            return (direct, direct == nil ? .default : .environment)
        }
        guard direct == nil else {
            throw ConfigurationError.Fault(
                name: key.name,
                code: .ambiguous,
                sentence: "\(key.name) and \(fileName) are both set; set one of them."
            )
        }
        do {
            return (try files.read(path), .file)
        } catch {
            throw ConfigurationError.Fault(
                name: fileName,
                code: .unreadable,
                sentence: "\(fileName) names \"\(path)\", which \(error.reason); it takes the path of a file "
                    + "that holds \(key.accepted)."
            )
        }
    }

    private func interpreted(
        _ text: String?,
        as key: any ConfigurationDeclaration
    ) throws(ConfigurationError.Fault) -> any Sendable {
        do {
            return try key.interpret(text)
        } catch {
            let quoted = text.flatMap(key.quotation).map { "=\($0)" } ?? ""
            let alternative = key.isSecret && text == nil ? ", or \(key.name)_FILE with the path of a file" : ""
            throw ConfigurationError.Fault(
                name: key.name,
                code: text == nil ? .missing : .invalid,
                sentence: "\(key.name)\(quoted) \(error.reason); it takes \(key.accepted)\(alternative)."
            )
        }
    }

    private func value(_ name: String, in reader: ConfigReader, isSecret: Bool) -> String? {
        let components = name.lowercased().split(separator: "_").map(String.init)
        let text = reader.string(forKey: ConfigKey(components), isSecret: isSecret)
        return text?.isEmpty == true ? nil : text
    }
}

extension ConfigurationSchema {
    /// A sentence for each `BATUTA_…` name that nobody reads, with the nearest known one.
    package func warnings(for environment: [String: String]) -> [String] {
        let own = keys.map(\.name) + keys.filter(\.isSecret).map { $0.name + "_FILE" }
        let exact = Set(own + ignored.filter { !$0.hasSuffix("*") })
        let prefixes = ignored.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("BATUTA_"), !exact.contains(name) else { return nil }
            guard !prefixes.contains(where: name.hasPrefix) else { return nil }
            guard let nearest = EditDistance.nearest(to: name, among: own) else { return "\(name) is not known." }
            return "\(name) is not known and has no effect; the nearest known name is \(nearest)."
        }
    }

    /// The keys as a text for `--help`: name, kind, default and purpose.
    package func listing() -> String {
        keys.map { key in
            var notes = [key.accepted]
            if key.isRequired { notes.append("required") }
            if let text = key.defaultText, !text.isEmpty { notes.append("default \(key.display(text))") }
            if key.isSecret { notes.append("or \(key.name)_FILE") }
            return "  \(key.name) (\(key.kind))\n      \(key.help)\n      \(notes.joined(separator: "; "))"
        }.joined(separator: "\n")
    }
}

// A fault is thrown on its own only inside this file; what leaves it is the collection.
extension ConfigurationError.Fault: Error {}
