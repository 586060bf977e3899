/// The metric that says which version of which service a process is.
struct BuildInformation: Sendable {
    private let identity: ServiceIdentity

    init(_ identity: ServiceIdentity) {
        self.identity = identity
    }

    @Sendable func collect(into exposition: inout Exposition) {
        let labels = Exposition.labels([("service", identity.name), ("version", identity.version)])
        exposition.add(
            .gauge("batuta_build_info", help: "Which version of which service this is; always 1."),
            samples: [(labels, 1)]
        )
    }
}
