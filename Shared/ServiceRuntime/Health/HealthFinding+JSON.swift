import Logging

extension HealthFinding {
    /// The finding as an object of a report.
    var metadata: Logger.Metadata.Value {
        switch state {
        case .ok: ["name": .string(name), "status": "ok"]
        case .noted(let reason): ["name": .string(name), "reason": .string(reason), "status": "noted"]
        case .failing(let reason): ["name": .string(name), "reason": .string(reason), "status": "failing"]
        }
    }
}
