package import Contracts

/// A refusal: what a client is told instead of an answer.
package struct GatewayProblem: Error, Sendable, Equatable {
    /// One fault in what was sent.
    package struct Fault: Sendable, Equatable {
        /// A JSON Pointer into the body.
        package let pointer: String
        package let code: String
        package let sentence: Sentence

        package init(pointer: String, code: String, _ sentence: Sentence) {
            self.pointer = pointer
            self.code = code
            self.sentence = sentence
        }
    }

    /// The HTTP status.
    package let status: Int
    /// A stable word for programs.
    package let code: String
    /// A few words that name the kind of problem.
    package let title: String
    package let sentence: Sentence
    package var faults: [Fault] = []
    /// Seconds after which a repeat is worth while.
    package var retryAfter: Int?
    /// The methods that are allowed, of a 405.
    package var allowed: [Route.Method] = []

    /// A problem with the usual sentence of its code, or with one of its own.
    package init(_ code: ProblemCode, _ sentence: Sentence? = nil, faults: [Fault] = [], retryAfter: Int? = nil) {
        self.init(
            status: code.status,
            code: code.rawValue,
            title: code.title,
            sentence: sentence ?? Sentence(code.sentence, code.spanishSentence),
            faults: faults,
            retryAfter: retryAfter ?? (code == .unavailable ? 1 : nil)
        )
    }

    package init(
        status: Int,
        code: String,
        title: String,
        sentence: Sentence,
        faults: [Fault] = [],
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.sentence = sentence
        self.faults = faults
        self.retryAfter = retryAfter
    }

    /// Whether another try is worth while.
    package var isRetryable: Bool { retryAfter != nil }
}

extension GatewayProblem {
    /// Content that could be read but is not what it should be.
    static func invalidContent(_ faults: [Fault]) -> GatewayProblem {
        GatewayProblem(
            status: 422,
            code: "invalid_content",
            title: "Invalid content",
            sentence: Sentence("The content is not valid.", "El contenido no es válido."),
            faults: faults
        )
    }

    /// Nothing is there, or nothing that the caller may see.
    static let notFound = GatewayProblem(.notFound)

    /// More requests wait than are allowed.
    static let overloaded = GatewayProblem(
        .unavailable,
        Sentence(
            "Too many requests are waiting; try again shortly.",
            "Hay demasiadas solicitudes en espera; inténtelo de nuevo en breve."
        )
    )

    /// The process stops.
    static let draining = GatewayProblem(
        .unavailable,
        Sentence("The service is stopping; try again.", "El servicio se está deteniendo; inténtelo de nuevo.")
    )

    /// The database does not answer.
    static let databaseAway = GatewayProblem(
        .unavailable,
        Sentence(
            "The database is not available; try again shortly.",
            "La base de datos no está disponible; inténtelo de nuevo en breve."
        )
    )

    /// The database has no room for more.
    static let storageExhausted = GatewayProblem(
        .unavailable,
        Sentence("Storage has run out; try again later.", "Se agotó el almacenamiento; inténtelo más tarde."),
        retryAfter: 30
    )

    /// A parameter of the path or the query is not what it should be.
    static func invalidParameter(_ name: String) -> GatewayProblem {
        GatewayProblem(
            .invalidRequest,
            Sentence("The parameter \(name) is not valid.", "El parámetro \(name) no es válido.")
        )
    }
}
