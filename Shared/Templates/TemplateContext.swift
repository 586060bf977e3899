package import JSON

/// What the paths of a template read; it holds views, so making one copies no value.
package struct TemplateContext: Sendable {
    /// The event in structured form: `signal.id`, `signal.type`, `signal.data` and so on.
    package var signal: JSONView

    /// What our envelope adds to the event: `signal.metadata`.
    package var metadata: JSONView?

    /// The steps that have ended, by name: `steps.<name>`.
    package var steps: [String: Step]

    /// The run: `run`.
    package var run: Run

    /// The automation: `automation`.
    package var automation: Automation

    package init(
        signal: JSONView,
        metadata: JSONView? = nil,
        steps: [String: Step] = [:],
        run: Run,
        automation: Automation
    ) {
        self.signal = signal
        self.metadata = metadata
        self.steps = steps
        self.run = run
        self.automation = automation
    }
}

extension TemplateContext {
    /// A step that has ended.
    package struct Step: Sendable {
        /// How it ended, such as `succeeded`.
        package var status: String

        /// What it put out; nil where it put out nothing, as a skipped step does.
        package var output: JSONView?

        package init(status: String, output: JSONView?) {
            self.status = status
            self.output = output
        }
    }

    /// The run that the step belongs to.
    package struct Run: Sendable, Hashable {
        package var id: String
        package var isDryRun: Bool

        package init(id: String, isDryRun: Bool) {
            self.id = id
            self.isDryRun = isDryRun
        }
    }

    /// The automation that the run belongs to, as it was when the run started.
    package struct Automation: Sendable, Hashable {
        package var id: String
        package var key: String
        package var version: Int
        package var name: String

        package init(id: String, key: String, version: Int, name: String) {
            self.id = id
            self.key = key
            self.version = version
            self.name = name
        }
    }
}
