import APIGatewayCore
import TestSupport
import Testing

@Suite struct RouteTableTests {
    private let table = RouteTable()

    @Test("the tests that walk all routes from outside know every one of them")
    func everyRouteIsWalked() {
        #expect(Set(RouteNames.all) == Set(Route.allCases.map(\.name)))
        #expect(RouteNames.all.count == Route.allCases.count)
    }

    @Test(arguments: Route.allCases)
    func everyRouteIsFoundByItsPattern(route: Route) {
        let path = route.pattern.replacingParameters()
        let match = table.match(method: route.method.rawValue, path: path[...])
        let parameters = route.pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map { _ in "x y" }
        #expect(match == .found(route, parameters))
    }

    @Test(arguments: [
        "/", "", "/api", "/api/signals/", "/api/signals/a/b", "/api/runs/x/steps/y", "//api/signals",
        "/api/signals%2Fx",
        "api/signals", "/admin/api/automations//activate", "/api/signals/%zz", "/api/signals/%00",
        "/api/signals/%C0%A0",
    ])
    func unknownPaths(path: String) {
        #expect(table.match(method: "GET", path: path[...]) == .notFound)
    }

    @Test func otherMethods() {
        #expect(table.match(method: "PUT", path: "/api/signals") == .methodNotAllowed([.get, .post]))
        #expect(table.match(method: "GET", path: "/api/hooks/a.b") == .methodNotAllowed([.post]))
        #expect(table.match(method: "PATCH", path: "/admin/api/tokens") == .methodNotAllowed([.get, .post]))
        #expect(table.match(method: "GET", path: "/admin/api/tokens/x") == .methodNotAllowed([.delete]))
    }

    @Test func theRecentRunsAreNoRun() {
        #expect(table.match(method: "GET", path: "/api/runs/recent") == .found(.listRecentRuns, []))
    }
}

extension String {
    fileprivate func replacingParameters() -> String {
        "/" + split(separator: "/").map { $0.hasPrefix("{") ? "x%20y" : String($0) }.joined(separator: "/")
    }
}
