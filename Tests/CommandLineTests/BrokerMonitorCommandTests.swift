import ArgumentParser
import Foundation
import Testing

@testable import CommandLineCore

@Suite("batuta broker monitor") struct BrokerMonitorCommandTests {
    private static let whole = ["broker", "monitor", "--tenant", "acme", "--name", "alerts"]

    @Test("it takes a tenant and a name alone, and every bound")
    func taken() throws {
        for more in [
            [], ["--service", "engine", "--service", "gateway"], ["--max-messages", "1", "--max-bytes", "1048576"],
            ["--expires", "1s"], ["--expires", "49d"], ["--remove"], ["--new-password"], ["--password-file", "x"],
        ] {
            #expect(try BatutaCommand.parseAsRoot(Self.whole + more) is BrokerMonitorCommand, "\(more)")
        }
    }

    @Test(
        "what it does not take is refused before anything is done, in a sentence that says what it takes",
        arguments: [
            (["--service", "postgres"], "gateway, engine"), (["--service", "Engine"], "gateway, engine"),
            (["--max-messages", "0"], "1 to 10000000"), (["--max-messages", "10000001"], "1 to 10000000"),
            (["--max-bytes", "1048575"], "1048576 to"), (["--expires", "999ms"], "1s to 49d"),
            (["--expires", "50d"], "1s to 49d"), (["--expires", "soon"], "1s to 49d"),
            (["--new-password", "--password-file", "x"], "not both"), (["--remove", "--new-password"], "no password"),
            (["--remove", "--password-file", "x"], "no password"),
        ]
    )
    func refused(more: [String], sentence: String) throws {
        let error = try #require(throws: (any Error).self) { try BatutaCommand.parseAsRoot(Self.whole + more) }
        #expect(BatutaCommand.exitCode(for: error).rawValue == 64)
        #expect(BatutaCommand.message(for: error).contains(sentence), "\(BatutaCommand.message(for: error))")
    }

    @Test("names that are none are refused", arguments: ["", "Acme", "a.b", "a_b", "#", "*", "a b"])
    func names(name: String) throws {
        for arguments in [["--tenant", name, "--name", "alerts"], ["--tenant", "acme", "--name", name]] {
            let error = try #require(throws: (any Error).self) {
                try BatutaCommand.parseAsRoot(["broker", "monitor"] + arguments)
            }
            #expect(BatutaCommand.exitCode(for: error).rawValue == 64)
        }
    }
}
