extension ConfigurationKey {
    fileprivate init(
        _ name: String,
        kind: String,
        accepted: String,
        help: String,
        default defaultText: String?,
        exposure: ValueExposure = .shown,
        parse: @escaping @Sendable (String) throws(InvalidValue) -> Value
    ) {
        self.init(
            name: name,
            kind: kind,
            accepted: accepted,
            help: help,
            defaultText: defaultText,
            isSecret: exposure == .hidden,
            absent: nil,
            exposure: exposure,
            parse: parse
        )
    }
}

extension ConfigurationKey where Value == String {
    /// A text of at least one character, optionally restricted.
    ///
    /// - Parameters:
    ///   - name: The environment variable.
    ///   - accepted: What is accepted, as a phrase.
    ///   - defaultText: What counts where it is unset; without it the key is required.
    ///   - help: What it is for, in one line.
    ///   - isAccepted: Whether a text is accepted.
    /// - Returns: The key.
    package static func string(
        _ name: String,
        accepted: String = "any text",
        default defaultText: String? = nil,
        help: String,
        where isAccepted: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Self {
        Self(name, kind: "string", accepted: accepted, help: help, default: defaultText) {
            text throws(InvalidValue) in
            guard isAccepted(text) else { throw InvalidValue("is not accepted") }
            return text
        }
    }

    /// One of a few words.
    package static func choice(
        _ name: String,
        of choices: [String],
        default defaultText: String? = nil,
        help: String
    ) -> Self {
        let accepted = "one of " + choices.joined(separator: ", ")
        return Self(name, kind: "choice", accepted: accepted, help: help, default: defaultText) {
            text throws(InvalidValue) in
            guard choices.contains(text) else { throw InvalidValue("is none of its words") }
            return text
        }
    }

    /// An absolute URL of one of the given schemes; its user and password are never shown.
    package static func url(
        _ name: String,
        schemes: [String] = ["http", "https"],
        default defaultText: String? = nil,
        help: String
    ) -> Self {
        Self(
            name,
            kind: "url",
            accepted: URLText.accepted(schemes),
            help: help,
            default: defaultText,
            exposure: .withoutUserInformation
        ) { text throws(InvalidValue) in
            try URLText.check(text, schemes: schemes)
            return text
        }
    }

    /// A path in the file system; it need not exist.
    package static func path(_ name: String, default defaultText: String? = nil, help: String) -> Self {
        Self(name, kind: "path", accepted: "a path of a file or a folder", help: help, default: defaultText) {
            text throws(InvalidValue) in
            guard !text.utf8.contains(0) else { throw InvalidValue("holds a NUL") }
            return text
        }
    }
}

extension ConfigurationKey where Value == Int {
    /// A whole number within bounds.
    package static func int(
        _ name: String,
        in range: ClosedRange<Int>,
        default number: Int? = nil,
        help: String
    ) -> Self {
        let accepted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Self(name, kind: "int", accepted: accepted, help: help, default: number.map(String.init)) {
            text throws(InvalidValue) in
            guard let number = ValueText.integer(text) else { throw InvalidValue("is no whole number") }
            guard range.contains(number) else { throw InvalidValue("is out of bounds") }
            return number
        }
    }
}

extension ConfigurationKey where Value == Bool {
    /// Yes or no.
    package static func bool(_ name: String, default truth: Bool? = nil, help: String) -> Self {
        Self(
            name,
            kind: "bool",
            accepted: "1, true, yes, on or 0, false, no, off",
            help: help,
            default: truth.map { $0 ? "true" : "false" }
        ) { text throws(InvalidValue) in
            guard let truth = ValueText.bool(text) else { throw InvalidValue("is neither yes nor no") }
            return truth
        }
    }
}

extension ConfigurationKey where Value == Duration {
    /// A length of time such as `500ms` or `30s`.
    package static func duration(
        _ name: String,
        in range: ClosedRange<Duration>? = nil,
        default defaultText: String? = nil,
        help: String
    ) -> Self {
        var accepted = "a whole number followed by ms, s, m, h or d, such as 30s"
        if let range { accepted += ", from \(range.lowerBound) to \(range.upperBound)" }
        return Self(name, kind: "duration", accepted: accepted, help: help, default: defaultText) {
            text throws(InvalidValue) in
            guard let duration = ValueText.duration(text) else { throw InvalidValue("is no length of time") }
            guard range?.contains(duration) ?? true else { throw InvalidValue("is out of bounds") }
            return duration
        }
    }
}

extension ConfigurationKey where Value == ListenAddress {
    /// A host and a port.
    package static func address(_ name: String, default defaultText: String? = nil, help: String) -> Self {
        Self(
            name,
            kind: "address",
            accepted: "host:port, with an IPv6 host in brackets and a port from 0 to 65535",
            help: help,
            default: defaultText
        ) { text throws(InvalidValue) in
            guard let address = ListenAddress(text) else { throw InvalidValue("is no host with a port") }
            return address
        }
    }
}

extension ConfigurationKey where Value == [String] {
    /// Texts separated by commas; blanks around them do not count and empty ones are refused.
    package static func list(
        _ name: String,
        of element: String = "texts",
        default elements: [String]? = nil,
        help: String,
        where isAccepted: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Self {
        Self(
            name,
            kind: "list",
            accepted: "\(element) separated by commas",
            help: help,
            default: elements.map { $0.joined(separator: ",") }
        ) { text throws(InvalidValue) in
            // Only a default can be empty: an empty variable counts as an unset one.
            guard !text.isEmpty else { return [] }
            let elements = ValueText.list(text)
            guard !elements.contains("") else { throw InvalidValue("has an empty element") }
            guard elements.allSatisfy(isAccepted) else { throw InvalidValue("has an element that is not accepted") }
            return elements
        }
    }
}

extension ConfigurationKey where Value == RedactedText {
    /// A text that is never shown; `<name>_FILE` may name a file that holds it.
    package static func secret(_ name: String, minimumBytes: Int = 1, help: String) -> Self {
        let accepted = minimumBytes > 1 ? "a secret of at least \(minimumBytes) bytes" : "a secret"
        return Self(name, kind: "secret", accepted: accepted, help: help, default: nil, exposure: .hidden) {
            text throws(InvalidValue) in
            guard text.utf8.count >= minimumBytes else { throw InvalidValue("is too short") }
            return RedactedText(text)
        }
    }

    /// A URL that holds credentials, of one of the given schemes; it is never shown.
    package static func secretURL(
        _ name: String,
        schemes: [String],
        allowsEmptyHost: Bool = false,
        help: String
    ) -> Self {
        Self(
            name,
            kind: "secret url",
            accepted: URLText.accepted(schemes),
            help: help,
            default: nil,
            exposure: .hidden
        ) { text throws(InvalidValue) in
            try URLText.check(text, schemes: schemes, allowsEmptyHost: allowsEmptyHost)
            return RedactedText(text)
        }
    }
}
