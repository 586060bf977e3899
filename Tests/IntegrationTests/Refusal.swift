import JSON
import TestSupport
import Testing

/// A request that has to be refused, and how.
struct Refusal: Sendable, CustomTestStringConvertible {
    let name: String
    var method = "POST"
    var path = "/api/signals"
    var headers = ["Content-Type": "application/json"]
    var body: [UInt8]?
    let status: Int
    let code: String
    /// A pointer that must stand among the errors.
    var pointer: String?

    var testDescription: String { name }

    /// A body of `POST /api/signals` in its plain form.
    static func plain(_ name: String, _ body: String, _ status: Int, _ code: String, at pointer: String? = nil) -> Self
    {
        Refusal(name: name, body: Array(body.utf8), status: status, code: code, pointer: pointer)
    }

    /// A body of `POST /api/signals` that claims to be a CloudEvent.
    static func event(_ name: String, _ body: String, at pointer: String? = nil) -> Self {
        Refusal(
            name: name,
            headers: SignalBody.structured,
            body: Array(body.utf8),
            status: 400,
            code: "invalid_event",
            pointer: pointer
        )
    }

    /// A body of `POST /api/signals` that claims to be a batch of CloudEvents.
    static func batch(_ name: String, _ body: String, at pointer: String) -> Self {
        Refusal(
            name: name,
            headers: ["Content-Type": "application/cloudevents-batch+json"],
            body: Array(body.utf8),
            status: 400,
            code: "invalid_event",
            pointer: pointer
        )
    }

    /// A body of `POST /admin/api/automations` around one definition.
    static func definition(
        _ name: String,
        _ definition: String,
        _ code: String = "invalid_definition",
        at pointer: String
    ) -> Self {
        automation(
            name,
            #"{"automation_key":"refused","name":"Refused","definition":\#(definition)}"#,
            422,
            code,
            at: pointer
        )
    }

    /// A body of `POST /admin/api/automations`.
    static func automation(
        _ name: String,
        _ body: String,
        _ status: Int,
        _ code: String,
        at pointer: String? = nil
    ) -> Self {
        Refusal(
            name: name,
            path: "/admin/api/automations",
            body: Array(body.utf8),
            status: status,
            code: code,
            pointer: pointer
        )
    }

    /// A body of `POST /admin/api/hooks`.
    static func hook(_ name: String, _ body: String, _ status: Int, _ code: String, at pointer: String? = nil) -> Self {
        Refusal(
            name: name,
            path: "/admin/api/hooks",
            body: Array(body.utf8),
            status: status,
            code: code,
            pointer: pointer
        )
    }

    /// A request without a body.
    static func bare(_ method: String, _ path: String, _ status: Int, _ code: String) -> Self {
        Refusal(
            name: "\(method) \(path)",
            method: method,
            path: path,
            headers: [:],
            status: status,
            code: code
        )
    }
}
