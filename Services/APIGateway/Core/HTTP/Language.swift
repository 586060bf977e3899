/// A language that sentences are written in.
package enum Language: Sendable {
    case english
    case spanish

    /// The one that an `Accept-Language` prefers; English where it prefers neither.
    package init(acceptLanguage header: String?) {
        guard let header, header.utf8.count <= 1_024 else {
            self = .english
            return
        }
        var best: (language: Language, weight: Double) = (.english, 0)
        for part in header.split(separator: ",") {
            let pieces = part.split(separator: ";")
            let tag = pieces.first.map { String($0).trimmedBlanks.lowercased() } ?? ""
            guard let language = Self(tag: tag) else {
                continue
            }
            let weight =
                pieces.dropFirst().lazy.map { String($0).trimmedBlanks }.first { $0.hasPrefix("q=") }
                .flatMap { Double($0.dropFirst(2)) } ?? 1
            if weight > best.weight {
                best = (language, weight)
            }
        }
        self = best.language
    }

    private init?(tag: String) {
        switch tag.split(separator: "-").first {
        case "es": self = .spanish
        case "en", "*": self = .english
        default: return nil
        }
    }

    /// The value of `Content-Language`.
    package var tag: String {
        switch self {
        case .english: "en"
        case .spanish: "es"
        }
    }
}

/// The same sentence in both languages.
package struct Sentence: Sendable, Equatable {
    package let english: String
    package let spanish: String

    package init(_ english: String, _ spanish: String) {
        self.english = english
        self.spanish = spanish
    }

    package subscript(language: Language) -> String {
        switch language {
        case .english: english
        case .spanish: spanish
        }
    }
}
