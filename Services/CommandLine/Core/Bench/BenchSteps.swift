/// What the steps of the measured automation do.
enum BenchSteps: Equatable, Sendable {
    /// Nothing outside: `data.transform`.
    case pure
    /// One call each to a sink with this `host:port`.
    case http(String)
    /// One step that waits for so many seconds.
    case parked(Int)

    /// What distinguishes the names of the figures.
    var suffix: String {
        switch self {
        case .pure: ""
        case .http: "_http"
        case .parked: "_parked"
        }
    }

    /// The steps as an automation defines them.
    var definitions: [String] {
        switch self {
        case .pure:
            return [
                #"{"name":"classify","action_key":"data.transform","input":{"area":"orders","priority":2,"keep_for":"90d"}}"#,
                #"{"name":"route","action_key":"data.transform","input":{"queue":"fulfilment","labels":["web","eu"]}}"#,
                #"{"name":"summary","action_key":"data.transform","input":{"state":"accepted","notify":{"mail":false}}}"#,
            ]
        case .parked(let seconds):
            return [#"{"name":"pause","action_key":"flow.delay","input":{"for":"\#(seconds)s"}}"#]
        case .http(let address):
            return ["reserve", "label", "notify"].map { name in
                """
                {"name":"\(name)","action_key":"http.request","idempotent":true,"input":{"method":"POST",\
                "url":"http://\(address)/\(name)","body":{"queue":"fulfilment","priority":2}}}
                """
            }
        }
    }
}
