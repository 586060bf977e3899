import Domain
import FoundationEssentials
import Glibc
import Logging
import ServiceRuntime

/// The `bootstrap` command: checks its arguments, makes the tenant, and hands the token over once.
package struct BootstrapTool: Sendable {
    private let tenant: String
    private let name: String?
    private let tokenName: String
    private let output: String?
    private let ifNeeded: Bool

    package init(tenant: String, name: String?, tokenName: String, output: String?, ifNeeded: Bool) {
        self.tenant = tenant
        self.name = name
        self.tokenName = tokenName
        self.output = output
        self.ifNeeded = ifNeeded
    }

    /// Runs the command.
    ///
    /// - Throws: `BootstrapError`, `ConfigurationError`, or what the database refused with; each says what to do.
    package func run(environment: [String: String]) async throws {
        guard let tenant = Tenant(tenant) else {
            throw BootstrapError(
                .badArgument,
                "--tenant must be a to z, 0 to 9 and hyphens, at most 63, a letter first"
            )
        }
        let name = name ?? tenant.key
        guard TokenRequest.isName(name), TokenRequest.isName(tokenName) else {
            throw BootstrapError(.badArgument, "--name and --token-name must be 1 to 100 printable characters")
        }
        let schema = ServiceDefinition(.apiGateway, needs: [.database], keys: GatewayKeys.all).schema
        let configuration = try schema.load(environment)
        var logger = Logger(label: "api-gateway") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        // The file is made first: a token that cannot be handed over must not be made.
        let file = try output.map { try TokenFile(path: $0) }
        do {
            let token = try await BootstrapProcess.run(
                Bootstrap.Order(tenant: tenant, name: name, tokenName: tokenName),
                configuration: configuration,
                logger: logger
            )
            try handOver(token, to: file)
        } catch {
            file?.discard()
            throw error
        }
    }

    private func handOver(_ token: String?, to file: TokenFile?) throws {
        guard let token else {
            file?.discard()
            guard ifNeeded else {
                throw BootstrapError(.alreadyDone, "a tenant exists already; --if-needed makes that a success")
            }
            return
        }
        if let file {
            try file.write(token + "\n")
        } else {
            print(token)
        }
    }
}

/// Why `bootstrap` did nothing.
package struct BootstrapError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        case badArgument
        case alreadyDone
        case fileNotWritable
    }

    package let code: Code
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same command can succeed later: only after something was changed.
    package var isRetryable: Bool { false }

    package var description: String { message }
}

/// A new file that only its owner can read.
private struct TokenFile {
    private let path: String
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BootstrapError(.fileNotWritable, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }

    func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0, close(descriptor) == 0 else {
            // The token is made by now and kept nowhere else, so it is shown after all.
            print(text, terminator: "")
            throw BootstrapError(.fileNotWritable, "\(path) could not be written; the token stands above")
        }
    }

    func discard() {
        close(descriptor)
        unlink(path)
    }
}
