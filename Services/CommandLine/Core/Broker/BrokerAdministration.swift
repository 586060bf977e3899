import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The broker's management interface, as far as installing definitions needs it.
struct BrokerAdministration: Sendable {
    /// How often a passing failure is met with another attempt.
    private static let attempts = 10

    let base: String
    let authorization: String
    let http: HTTPClient

    /// Reads `http(s)://user:password@host:port`.
    ///
    /// - Throws: `BrokerAdministrationError`, which never repeats the address: it holds a secret.
    init(url: String, http: HTTPClient = .shared) throws(BrokerAdministrationError) {
        guard var parts = URLComponents(string: url), let scheme = parts.scheme, ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, let user = parts.user, let password = parts.password
        else {
            throw BrokerAdministrationError(.address, "the management URL must be http(s)://user:password@host:port")
        }
        parts.user = nil
        parts.password = nil
        parts.path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
        guard let base = parts.string else {
            throw BrokerAdministrationError(.address, "the management URL is not a URL")
        }
        self.base = base
        self.http = http
        authorization = "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// Installs definitions; what exists already is brought up to date.
    ///
    /// - Throws: `BrokerAdministrationError` when the broker refuses them, or stays unreachable.
    func install(_ definitions: [UInt8]) async throws {
        for attempt in 1...Self.attempts {
            guard let failure = await post(definitions) else {
                return
            }
            guard failure.isRetryable, attempt < Self.attempts else {
                throw failure
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    /// Tries once; answers what went wrong.
    private func post(_ definitions: [UInt8]) async -> BrokerAdministrationError? {
        var request = HTTPClientRequest(url: base + "/api/definitions")
        request.method = .POST
        request.headers.add(name: "Authorization", value: authorization)
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(definitions)
        let status: Int
        let text: String
        do {
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 16)
            status = Int(response.status.code)
            text = String(decoding: body.readableBytesView, as: UTF8.self)
        } catch  where TrustedAuthorities.isRefusal(error) {
            return BrokerAdministrationError(
                .refused,
                "the broker's management interface cannot be trusted: \(error)"
            )
        } catch {
            return BrokerAdministrationError(
                .unreachable,
                "the broker's management interface is not reachable: \(error)"
            )
        }
        switch status {
        case 200..<300:
            return nil
        case 401, 403:
            return BrokerAdministrationError(.refused, "the broker refuses this user, who must be an administrator")
        case 400 where text.contains("already_exists"):
            return BrokerAdministrationError(.busy, "another command changes the broker at the same time: \(text)")
        case 500...:
            return BrokerAdministrationError(.busy, "the broker failed with status \(status): \(text)")
        default:
            return BrokerAdministrationError(.refused, "the broker refuses the definitions (\(status)): \(text)")
        }
    }
}

/// Why the broker could not be brought up to date.
struct BrokerAdministrationError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was.
    enum Code: Sendable {
        /// The address is not one.
        case address
        /// No answer came.
        case unreachable
        /// The broker is not able to do it now.
        case busy
        /// The broker will not do it.
        case refused
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same command, given again, may succeed.
    var isRetryable: Bool {
        switch code {
        case .unreachable, .busy: true
        case .address, .refused: false
        }
    }

    var description: String { message }
}
