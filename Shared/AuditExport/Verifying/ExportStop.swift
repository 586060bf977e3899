/// What ends a verification before its end: a fault that was found, or that nothing can be told.
enum ExportStop: Error {
    case fault(ExportFault)
    case failure(ExportError)

    /// A fault at a place.
    static func fault(
        _ code: ExportFault.Code,
        at place: some CustomStringConvertible,
        _ meaning: String
    ) -> ExportStop {
        .fault(ExportFault(code, at: place, meaning))
    }
}

extension ExportStop {
    /// Does what may fail, so that the failure ends the verification.
    static func failing<Success>(_ body: () throws(ExportError) -> Success) throws(ExportStop) -> Success {
        do {
            return try body()
        } catch {
            throw .failure(error)
        }
    }
}
