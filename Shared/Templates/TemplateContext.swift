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

    /// The value that a step is repeated for: `item`, and its place, `index`.
    package var item: Item?

    package init(
        signal: JSONView,
        metadata: JSONView? = nil,
        steps: [String: Step] = [:],
        run: Run,
        automation: Automation,
        item: Item? = nil
    ) {
        self.signal = signal
        self.metadata = metadata
        self.steps = steps
        self.run = run
        self.automation = automation
        self.item = item
    }
}

extension TemplateContext {
    /// A step that has ended.
    package struct Step: Sendable {
        /// How it ended, such as `succeeded`.
        package var status: String

        /// What it put out; nil where it put out nothing, as a skipped step does.
        package var output: JSONView?

        /// Why it failed; nil where it did not.
        package var error: JSONView?

        package init(status: String, output: JSONView?, error: JSONView? = nil) {
            self.status = status
            self.output = output
            self.error = error
        }
    }

    /// One of the values that a step is repeated for.
    package struct Item: Sendable {
        package var value: JSONView
        /// From 0.
        package var index: Int

        package init(value: JSONView, index: Int) {
            self.value = value
            self.index = index
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
