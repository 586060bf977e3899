package import Foundation
import Persistence

/// Where the migrations are.
package enum MigrationsFolder {
    /// The folder that was asked for, else one named `Migrations` beside the executable, in a folder above it, or here.
    ///
    /// - Throws: ``CommandLineError`` when there is none.
    package static func locate(
        _ asked: String?,
        executable: URL? = Bundle.main.executableURL,
        current: URL = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    ) throws(CommandLineError) -> URL {
        if let asked {
            let folder = URL(fileURLWithPath: asked, relativeTo: current)
            guard isFolder(folder) else {
                throw CommandLineError(.file, "there is no folder of migrations at \(folder.path)")
            }
            return folder
        }
        var above = executable?.resolvingSymlinksInPath().deletingLastPathComponent()
        while let folder = above {
            let candidate = folder.appendingPathComponent("Migrations")
            if holdsMigrations(candidate) { return candidate }
            let next = folder.deletingLastPathComponent()
            above = next.path == folder.path || folder.path == "/" ? nil : next
        }
        let candidate = current.appendingPathComponent("Migrations")
        guard holdsMigrations(candidate) else {
            throw CommandLineError(
                .file,
                "no folder of migrations was found above the executable or at \(candidate.path); name it with --migrations"
            )
        }
        return candidate
    }

    private static func holdsMigrations(_ folder: URL) -> Bool {
        isFolder(folder.appendingPathComponent(MigrationCatalog.commonFolder))
    }

    private static func isFolder(_ url: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
