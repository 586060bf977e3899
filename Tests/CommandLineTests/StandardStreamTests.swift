import Foundation
import TestSupport
import Testing

@Suite struct StandardStreamTests {
    @Test func endsQuietlyWhenNobodyReadsItsOutput() async throws {
        let passwords = Command.temporaryURL("passwords.json")
        defer { try? FileManager.default.removeItem(at: passwords) }
        // Without the signal, as in every process that has made an HTTP client.
        let script = """
            import os, subprocess, sys
            reader, writer = os.pipe()
            os.close(reader)
            sys.exit(subprocess.run(sys.argv[1:], stdout=writer, restore_signals=False).returncode)
            """
        let result = try await Command.run(
            "/usr/bin/python3",
            [
                "-c", script, try BuildFolder.executable("batuta"), "broker", "definitions", "--passwords-file",
                passwords.path,
            ]
        )
        #expect(result.status == 141)
        #expect(result.output == "")
    }
}
