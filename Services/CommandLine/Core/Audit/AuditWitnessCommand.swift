import ArgumentParser
import Checkpoints
import Foundation
import JSON
import MerkleLog
import NIOHTTP1

/// `batuta audit witness`: co-signs the log's checkpoints, and refuses what contradicts one that it has seen.
struct AuditWitnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness",
        abstract: "Co-sign the log's checkpoints; refuse one that contradicts what was seen before.",
        discussion: """
            Run it where neither the database nor the broker is, by somebody else than those who run the log. It asks for the \
            newest checkpoint and for the proof that it continues the last one it has seen, adds its signature and the time, \
            keeps the result in its folder, and gives the signature to the log. The first checkpoint that it sees it has to \
            believe.

            What contradicts an earlier checkpoint is kept next to it, is never signed, and ends the command with exit code 3: \
            the log, or whoever answers in its place, shows different histories to different people. What it has signed is in \
            its folder before the log gets the signature, so that it still knows of it when it is started again. The exit \
            code is 1 for whatever else ends it.

            Example:
              batuta audit key new --name witness.example.org --output witness.key
              batuta audit witness --key witness.key --state seen --log-key example.com/audit+…
            """
    )

    /// The exit code where the log contradicts itself.
    static let contradiction = ExitCode(3)

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "The witness's key file, made by `batuta audit key new`.")
    var key: String

    @Option(name: .long, help: "A key that verifies the log; may be repeated while a key is being replaced.")
    var logKey: [String]

    @Option(name: .long, help: "The folder where it keeps the checkpoints that it has signed.")
    var state: String

    @Option(name: .long, help: "The seconds from one look to the next.")
    var interval = 10.0

    @Flag(name: .long, help: "Look once, and end.")
    var once = false

    func validate() throws {
        guard (0.1...86_400).contains(interval) else {
            throw ValidationError("--interval takes 0.1 to 86400 seconds.")
        }
    }

    mutating func run() async throws {
        let witness = try witness()
        while true {
            do {
                let line = try await witness.look()
                StandardStream.output.writeLine(line)
            } catch let error as CommandLineError where error.isRetryable && !once {
                StandardStream.error.writeLine(error.message)
            } catch let error as CommandLineError where error.code == .contradiction {
                StandardStream.error.writeLine("Error: \(error.message)")
                throw Self.contradiction
            }
            guard !once else {
                return
            }
            try await Task.sleep(for: .seconds(interval))
        }
    }

    private func witness() throws -> Witness {
        do {
            let keys = try logKey.map { try NoteVerifierKey(parsing: $0) }
            guard let log = keys.first, keys.allSatisfy({ $0.kind == .log && $0.name == log.name }) else {
                throw ValidationError("--log-key takes keys of one log, as `batuta audit key show` prints them.")
            }
            return Witness(
                client: try gateway.client(),
                signer: try LogKeyFile(path: key).signers[0].cosigner,
                keys: keys,
                journal: try CheckpointJournal(directory: state, origin: log.name),
                folder: state
            )
        } catch let error as MerkleLogError {
            throw ValidationError(error.message)
        } catch let error as CheckpointError {
            throw CommandLineError(.file, error.message)
        }
    }
}

/// Looks at a log, and signs what continues all that it has seen.
struct Witness: Sendable {
    let client: GatewayClient
    let signer: NoteSigner
    /// What verifies the log.
    let keys: [NoteVerifierKey]
    /// What it has signed, and nothing that it has not verified.
    let journal: CheckpointJournal
    let folder: String

    /// Looks once; says what was found.
    ///
    /// - Throws: `CommandLineError`; with code `contradiction` where the log contradicts itself.
    func look() async throws -> String {
        let answer = try await client.ask(.GET, "/api/audit/checkpoint")
        guard answer.isSuccess else {
            throw GatewayClient.refusal(answer.status, try? JSONValue(parsing: answer.body))
        }
        let signed = try read(answer.body)
        let checkpoint = signed.checkpoint
        if let known = journal.newest {
            try await requireSequel(signed, to: known)
        }
        let time = UInt64(max(0, Date().timeIntervalSince1970))
        let line = try signer.cosign(checkpoint.text, time: time)
        var note = try SignedNote(
            text: signed.note.text,
            signatures: signed.note.signatures.filter { signature in keys.contains { $0.isNamed(by: signature) } }
        )
        try note.add(line)
        do {
            try await journal.append(try SignedCheckpoint(note: note))
        } catch let error as CheckpointError {
            throw CommandLineError(.file, error.message)
        }
        let body: JSONValue = [
            "size": .number(Int64(clamping: checkpoint.size)), "key": .string(signer.verifierKey.description),
            "line": .string(line.line),
        ]
        _ = try await client.json(.POST, "/api/audit/checkpoint/cosignatures", body: body)
        return "signed \(checkpoint.origin) with \(checkpoint.size) entries, root \(checkpoint.root.base64)"
    }

    private func read(_ body: [UInt8]) throws -> SignedCheckpoint {
        do {
            let signed = try SignedCheckpoint(note: SignedNote(parsing: body))
            let by = try signed.note.verified(by: keys)
            guard by.contains(where: { $0.key.kind == .log && $0.key.name == signed.checkpoint.origin }) else {
                throw CommandLineError(
                    .answer,
                    "the checkpoint of \(signed.checkpoint.origin) is not signed with the key that was given; nothing is signed"
                )
            }
            return signed
        } catch let error as MerkleLogError {
            throw CommandLineError(.answer, "what the gateway gives is no checkpoint of the log: \(error.message)")
        }
    }

    /// Refuses what does not continue the newest checkpoint that was signed.
    private func requireSequel(_ signed: SignedCheckpoint, to known: SignedCheckpoint) async throws {
        let (old, new) = (known.checkpoint, signed.checkpoint)
        guard new.size >= old.size else {
            throw try contradiction(signed, known, "it has \(new.size) entries now, and had \(old.size)")
        }
        guard new.size > old.size else {
            guard new.root == old.root else {
                throw try contradiction(signed, known, "it has \(new.size) entries as before, and another root")
            }
            return
        }
        let answer = try await client.json(
            .GET,
            "/api/audit/consistency",
            query: [
                URLQueryItem(name: "from", value: String(old.size)), URLQueryItem(name: "to", value: String(new.size)),
            ]
        )
        let proof = answer["proof"]?.arrayValue?.map { $0.stringValue.flatMap { MerkleHash(base64: $0) } } ?? [nil]
        do {
            try MerkleProof.verifyConsistency(
                from: old.size,
                root: old.root,
                to: new.size,
                root: new.root,
                proof: proof.compactMap(\.self)
            )
        } catch {
            throw try contradiction(
                signed,
                known,
                "of its \(new.size) entries the first \(old.size) are not those of before, or it cannot prove it: \(error.message)"
            )
        }
    }

    /// Keeps the evidence, and says what is wrong.
    private func contradiction(
        _ signed: SignedCheckpoint,
        _ known: SignedCheckpoint,
        _ what: String
    ) throws -> CommandLineError {
        let path = "\(folder)/contradiction-\(known.checkpoint.size)-\(signed.checkpoint.size).txt"
        let evidence = known.note.encoded + "\n" + signed.note.encoded
        try? evidence.write(toFile: path, atomically: true, encoding: .utf8)
        return CommandLineError(
            .contradiction,
            "the log \(known.checkpoint.origin) contradicts itself: \(what). Nothing is signed; both checkpoints are in \(path)."
        )
    }
}
