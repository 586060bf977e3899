/// A refusal or failure as a client may see it: no SQL, no path, no secret.
///
/// It is thrown by whoever refuses, goes over the broker as the body of a reply, and over HTTP as a document of RFC 9457.
package struct Problem: Error, Sendable, Equatable {
    /// One thing that is wrong with a request's body or parameters.
    package struct Detail: Sendable, Equatable {
        /// Where: a JSON pointer (RFC 6901) into the body; empty for the body as a whole.
        package var pointer: String
        package var code: String
        /// What, in an English sentence.
        package var detail: String

        package init(pointer: String, code: String, detail: String) {
            self.pointer = pointer
            self.code = code
            self.detail = detail
        }
    }

    package var code: ProblemCode
    package var status: Int
    /// What happened, in an English sentence.
    package var detail: String
    /// The same in Spanish.
    package var detailES: String
    package var errors: [Detail]

    /// A problem with the code's own sentences, or with others.
    ///
    /// - Parameters:
    ///   - code: The stable code; it decides the status.
    ///   - detail: The English sentence; the code's own where there is none.
    ///   - detailES: The Spanish sentence; the code's own where there is none.
    ///   - errors: What is wrong where.
    package init(_ code: ProblemCode, _ detail: String? = nil, detailES: String? = nil, errors: [Detail] = []) {
        self.code = code
        status = code.status
        self.detail = detail ?? code.sentence
        self.detailES = detailES ?? code.spanishSentence
        self.errors = errors
    }

    /// Whether the same request can succeed later without being changed.
    package var isRetryable: Bool { code.isRetryable }
}

extension Problem {
    /// The media type of `document(language:)`.
    package static let mediaType = "application/problem+json"

    /// The languages in which problems are told.
    package enum Language: String, Sendable {
        case english = "en"
        case spanish = "es"
    }

    /// The body of a reply over the broker: `code`, `detail`, `detail_es`, `errors`.
    package var replyBody: [UInt8] {
        var bytes: [UInt8] = Array("{\"code\":".utf8)
        bytes.append(jsonString: code.rawValue)
        bytes.append(contentsOf: ",\"detail\":".utf8)
        bytes.append(jsonString: detail)
        bytes.append(contentsOf: ",\"detail_es\":".utf8)
        bytes.append(jsonString: detailES)
        bytes.append(contentsOf: ",\"errors\":".utf8)
        append(errorsTo: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The document of RFC 9457: `type`, `title`, `status`, `detail`, `code`, `errors`.
    package func document(language: Language = .english) -> [UInt8] {
        var bytes: [UInt8] = Array("{\"type\":".utf8)
        bytes.append(jsonString: "urn:batuta:problem:\(code.rawValue)")
        bytes.append(contentsOf: ",\"title\":".utf8)
        bytes.append(jsonString: code.title)
        bytes.append(contentsOf: ",\"status\":\(status),\"detail\":".utf8)
        switch language {
        case .english: bytes.append(jsonString: detail)
        case .spanish: bytes.append(jsonString: detailES)
        }
        bytes.append(contentsOf: ",\"code\":".utf8)
        bytes.append(jsonString: code.rawValue)
        bytes.append(contentsOf: ",\"errors\":".utf8)
        append(errorsTo: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private func append(errorsTo bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for (index, error) in errors.enumerated() {
            bytes.append(contentsOf: index == 0 ? "{\"pointer\":".utf8 : ",{\"pointer\":".utf8)
            bytes.append(jsonString: error.pointer)
            bytes.append(contentsOf: ",\"code\":".utf8)
            bytes.append(jsonString: error.code)
            bytes.append(contentsOf: ",\"detail\":".utf8)
            bytes.append(jsonString: error.detail)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
