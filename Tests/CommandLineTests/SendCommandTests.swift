import ArgumentParser
import Foundation
import JSON
import Testing

@testable import CommandLineCore

@Suite struct SendCommandTests {
    @Test func aWholeSignalGoesAsItIs() throws {
        let event = Array(#"{"specversion":"1.0","id":"1","source":"/a","type":"t"}"#.utf8)
        #expect(try SignalBody(event).contentType == "application/cloudevents+json")
        #expect(try SignalBody(event).bytes == event)
        #expect(try SignalBody(Array(#"{"type":"t","data":1}"#.utf8)).contentType == "application/json")
    }

    @Test(arguments: ["", "[]", "1", "{", #"{"a":1,"a":2}"#])
    func refusesWhatIsNoObject(text: String) {
        #expect(throws: CommandLineError.self) { try SignalBody(Array(text.utf8)) }
    }

    @Test func partsBecomeAPlainSignal() throws {
        let data = Array(" {\"n\": 1.50} \n".utf8)
        let body = try SignalBody(type: "order.\"x\"", data: data, id: "7", source: "/shop")
        #expect(body.contentType == "application/json")
        let root = try JSONDocument(parsing: body.bytes).root
        #expect(root["type"]?.stringValue == "order.\"x\"")
        #expect(root["id"]?.stringValue == "7")
        #expect(root["source"]?.stringValue == "/shop")
        #expect(root["data"]?.rawBytes.elementsEqual(Array(#"{"n": 1.50}"#.utf8)) == true)
    }

    @Test func absentPartsAreLeftOut() throws {
        let body = try SignalBody(type: "t", data: nil, id: nil, source: nil)
        #expect(body.bytes == Array(#"{"type":"t"}"#.utf8))
        #expect(throws: CommandLineError.self) {
            try SignalBody(type: "t", data: Array("{".utf8), id: nil, source: nil)
        }
    }

    @Test func theExitCodeTellsWhetherToTryAgain() {
        for status in [200, 202] { #expect(SendCommand.exitCode(status: status) == nil) }
        for status in [400, 401, 403, 409, 413, 415] { #expect(SendCommand.exitCode(status: status) == .failure) }
        for status in [429, 500, 503, 504] { #expect(SendCommand.exitCode(status: status) == ExitCode(75)) }
    }

    @Test(arguments: [
        ["--data", "{}"], ["--id", "1"], ["--source", "/a"], ["--type", "t", "--data", "{}", "file.json"],
    ]) func refusesArgumentsThatContradict(arguments: [String]) {
        #expect(throws: (any Error).self) { try BatutaCommand.parseAsRoot(["send"] + arguments) }
    }

    @Test(arguments: [
        "", "localhost:8080", "ftp://localhost", "http://", "http://user@host", "http://host/path", "http://host?a=b",
    ]) func refusesAnAddressThatIsNone(url: String) {
        #expect(GatewayClient(url: url, token: "t") == nil)
    }

    @Test func refusesATokenThatNoHeaderCarries() {
        #expect(GatewayClient(url: "http://host:1", token: "t")?.base.port == 1)
        for token in ["", "a b", "a\r\nX: y", "é"] { #expect(GatewayClient(url: "http://host", token: token) == nil) }
    }
}
