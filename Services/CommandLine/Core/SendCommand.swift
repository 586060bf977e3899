package import ArgumentParser
import Foundation
import JSON
import NIOHTTP1

/// `batuta send`: posts one signal.
package struct SendCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Post a signal and print the answer.",
        discussion: """
            Without --type, the file (or standard input) is the whole signal: a CloudEvent in structured form, or \
            {"type", "data", "id"?, "source"?}. With --type, the file or --data is only the signal's data, and \
            standard input is read where the file is named -.

            The exit code is 0 when the signal was accepted, 1 when it was refused, and 75 when the gateway could not be \
            reached or cannot take it now: the same command may then be given again. An id of your own makes sure that \
            a repetition is not taken for another signal.
            """
    )

    /// The exit code for a failure that may pass (EX_TEMPFAIL of sysexits.h).
    static let temporaryFailure = ExitCode(75)

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The signal's type.")
    var type: String?

    @Option(name: .long, help: "The signal's data, as JSON.")
    var data: String?

    @Option(name: .long, help: "The signal's id, unique for its source; otherwise the gateway gives it one.")
    var id: String?

    @Option(name: .long, help: "Where the signal comes from: a URI reference.")
    var source: String?

    @Argument(help: "A file, or - for standard input.", completion: .file())
    var file: String?

    package init() {}

    package mutating func validate() throws {
        guard type != nil || (data == nil && id == nil && source == nil) else {
            throw ValidationError("--data, --id and --source need --type.")
        }
        guard data == nil || file == nil else {
            throw ValidationError("The data is given by --data or by a file, not by both.")
        }
    }

    package mutating func run() async throws {
        let client = try gateway.client()
        let body: SignalBody
        if let type {
            body = try SignalBody(
                type: type,
                data: data.map { Array($0.utf8) } ?? content(file),
                id: id,
                source: source
            )
        } else {
            body = try SignalBody(content(file ?? "-") ?? [])
        }
        let answer: GatewayClient.Answer
        do {
            answer = try await client.ask(.POST, "/api/signals", body: body.bytes, contentType: body.contentType)
        } catch {
            StandardStream.error.writeLine("Error: \(error.message)")
            throw error.isRetryable ? Self.temporaryFailure : ExitCode.failure
        }
        let stream = answer.isSuccess ? StandardStream.output : .error
        stream.write(answer.body + [UInt8(ascii: "\n")])
        if let code = Self.exitCode(status: answer.status) { throw code }
    }

    /// How the command ends after an answer; nil for success.
    static func exitCode(status: Int) -> ExitCode? {
        switch status {
        case 200..<300: nil
        case 408, 429, 500...: temporaryFailure
        default: .failure
        }
    }

    private func content(_ path: String?) throws(CommandLineError) -> [UInt8]? {
        guard let path else { return nil }
        do {
            guard path == "-" else { return Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
            return Array(try FileHandle.standardInput.readToEnd() ?? Data())
        } catch {
            throw CommandLineError(.file, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}

/// The body of a signal's request, and what kind it is.
struct SignalBody: Equatable {
    let bytes: [UInt8]
    let contentType: String

    /// A whole signal: what has a `specversion` is a CloudEvent.
    ///
    /// - Throws: ``CommandLineError`` when it is no JSON object.
    init(_ bytes: [UInt8]) throws(CommandLineError) {
        let root = try Self.document(bytes, of: "the signal").root
        guard root.kind == .object else { throw CommandLineError(.file, "the signal is no JSON object") }
        self.bytes = bytes
        contentType = root["specversion"] == nil ? "application/json" : "application/cloudevents+json"
    }

    /// A signal from its parts; the data stays as it is written.
    init(type: String, data: [UInt8]?, id: String?, source: String?) throws(CommandLineError) {
        var writer = JSONWriter(capacity: (data?.count ?? 0) + 256)
        writer.beginObject()
        writer.member("type", type)
        if let id { writer.member("id", id) }
        if let source { writer.member("source", source) }
        if let data {
            writer.key("data")
            writer.raw(try Self.document(data, of: "the data").root.rawBytes)
        }
        writer.endObject()
        bytes = writer.bytes
        contentType = "application/json"
    }

    private static func document(_ bytes: [UInt8], of what: String) throws(CommandLineError) -> JSONDocument {
        do {
            return try JSONDocument(parsing: bytes)
        } catch {
            throw CommandLineError(.file, "\(what) is no JSON: \(error.message)")
        }
    }
}
