package import Foundation

/// Where the build put its products, and where its sources are.
package enum BuildFolder {
    /// The root of the repository, from the place of this file.
    package static var repository: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// The path of an executable product of this package.
    ///
    /// The test bundle lies next to the executables; it is an argument of the program that runs the tests. Where it is
    /// not, the debug build of the repository is looked into.
    ///
    /// - Parameter name: the product's name, or an absolute path, which is returned as it is.
    /// - Returns: the path.
    /// - Throws: `TestSupportError` with code `notStarted` when there is no such executable.
    package static func executable(_ name: String) throws -> String {
        if name.hasPrefix("/") { return name }
        for folder in candidates {
            let path = folder.appendingPathComponent(name).path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw TestSupportError(.notStarted, "There is no executable \(name); looked in \(candidates.map(\.path)).")
    }

    private static var candidates: [URL] {
        let bundles = CommandLine.arguments
            .filter { $0.hasSuffix(".xctest") }
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent() }
        return bundles + [repository.appendingPathComponent(".build/debug")]
    }
}
