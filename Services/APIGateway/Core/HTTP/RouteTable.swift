/// Finds the route of a request.
package struct RouteTable: Sendable {
    /// What a method and a path lead to.
    package enum Match: Equatable, Sendable {
        /// The route, and the parameters of its path in their order, percent-decoded.
        case found(Route, [String])
        /// The path exists, for other methods.
        case methodNotAllowed([Route.Method])
        /// Nothing is served there.
        case notFound
    }

    private enum Segment: Sendable {
        case literal(String)
        case parameter
    }

    private let patterns: [(route: Route, segments: [Segment])]
    private let longest: Int

    package init() {
        // Patterns without parameters come first, so that `recent` is no run's id.
        patterns = Route.allCases.map { route in
            (route, route.pattern.split(separator: "/").map { $0.hasPrefix("{") ? .parameter : .literal(String($0)) })
        }
        .sorted { Self.parameters($0.1) < Self.parameters($1.1) }
        longest = patterns.map(\.segments.count).max() ?? 0
    }

    /// Looks up a request.
    ///
    /// - Parameters:
    ///   - method: The request's method.
    ///   - path: The path as it came, without its query.
    /// - Returns: The route with its parameters, or why there is none.
    package func match(method: String, path: Substring) -> Match {
        if path == "/api/signals", method == "POST" {
            return .found(.postSignal, [])
        }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 2_048 else {
            return .notFound
        }
        let parts = path.dropFirst().split(separator: "/", maxSplits: longest, omittingEmptySubsequences: false)
        var others: [Route.Method] = []
        for (route, segments) in patterns {
            guard let parameters = Self.parameters(of: parts, in: segments) else {
                continue
            }
            if route.method.rawValue == method {
                return .found(route, parameters)
            }
            // What has fewer parameters shadows what has more: `GET /api/runs/recent` is no run.
            others.append(route.method)
        }
        return others.isEmpty ? .notFound : .methodNotAllowed(Route.Method.allCases.filter(others.contains))
    }

    private static func parameters(_ segments: [Segment]) -> Int {
        segments.count { segment in
            if case .parameter = segment { true } else { false }
        }
    }

    private static func parameters(of parts: [Substring], in segments: [Segment]) -> [String]? {
        guard parts.count == segments.count else {
            return nil
        }
        var parameters: [String] = []
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal(let text):
                guard part == text else {
                    return nil
                }
            case .parameter:
                guard let decoded = PercentEncoding.decode(part), !decoded.isEmpty else {
                    return nil
                }
                parameters.append(decoded)
            }
        }
        return parameters
    }
}
