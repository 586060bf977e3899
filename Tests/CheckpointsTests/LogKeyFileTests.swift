import Foundation
import MerkleLog
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct LogKeyFileTests {
    @Test("a file holds the key in use and those before it")
    func keysAreRead() throws {
        let signers = try (0..<2).map { _ in try NoteSigner.generate(name: "example.com/audit", kind: .log) }
        let path = try TestKeys.write("# keys\n\n\(signers[0].text)\r\n\(signers[1].text)\n", named: "keys")
        let file = try LogKeyFile(path: path)
        #expect(file.signers.map(\.verifierKey) == signers.map(\.verifierKey))
        #expect(
            try file.signers(of: "example.com/audit/2").map(\.name) == Array(repeating: "example.com/audit/2", count: 2)
        )
        #expect(throws: CheckpointError.self) { try file.signers(of: "example.com/other") }
    }

    @Test("a later life of a log is signed with the same private key")
    func livesShareTheKey() throws {
        let signer = try NoteSigner.generate(name: "a/b", kind: .log)
        let path = try TestKeys.write(signer.text, named: "keys")
        let renamed = try #require(try LogKeyFile(path: path).signers(of: "a/b/3").first)
        #expect(renamed.verifierKey.publicKey == signer.verifierKey.publicKey)
        #expect(renamed.verifierKey.keyID != signer.verifierKey.keyID)
    }

    @Test(
        "what is no file of a log's keys is refused with a sentence that repeats none of it",
        arguments: ["", "secret", "PRIVATE+KEY+x+00000000+AAAA"]
    )
    func othersAreRefused(content: String) throws {
        let path = try TestKeys.write(content, named: "keys")
        let error = #expect(throws: CheckpointError.self) { try LogKeyFile(path: path) }
        #expect(error?.message.contains("batuta audit key new") == true)
        #expect(content.isEmpty || error?.message.contains(content) == false)
    }

    @Test("keys of two logs, a key twice and a key of a witness are refused")
    func mixturesAreRefused() throws {
        let one = try NoteSigner.generate(name: "a", kind: .log)
        let other = try NoteSigner.generate(name: "b", kind: .log)
        for lines in [[one.text, other.text], [one.text, one.text], [one.cosigner.text]] {
            let path = try TestKeys.write(lines.joined(separator: "\n"), named: "keys")
            let error = #expect(throws: CheckpointError.self) { try LogKeyFile(path: path) }
            #expect(error?.code == .keyFile)
        }
    }

    @Test("a file that others can read, and one that is not there, are refused")
    func accessIsChecked() throws {
        let path = try TestKeys.write(try NoteSigner.generate(name: "a", kind: .log).text, named: "keys")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: CheckpointError.self) { try LogKeyFile(path: path) }
        #expect(throws: CheckpointError.self) { try LogKeyFile(path: path + ".none") }
    }

    @Test(
        "lives of a log follow each other by number",
        arguments: [("a", "a/9"), ("a/2", "a/9"), ("a/b", "a/b/9"), ("a/1", "a/1/9"), ("a/02", "a/02/9")]
    )
    func lives(name: String, next: String) {
        #expect(LogName.successor(of: name, number: 9) == next)
    }
}
