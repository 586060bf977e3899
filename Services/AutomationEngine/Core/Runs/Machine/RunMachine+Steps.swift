import Domain
import JSON
import Templates

extension RunMachine {
    /// Begins a step, or another attempt of it.
    ///
    /// - Returns: False where it waits for room.
    mutating func begin(_ position: Int, at now: Int64, hasRoom: Bool) -> Bool {
        let step = definition(at: position)
        let isItem = record.steps[position].parent != nil
        if case .builtIn(.delay) = step.action, record.steps[position].status == .waiting {
            succeed(position, output: record.steps[position].output ?? Array("null".utf8), at: now)
            return true
        }
        if record.steps[position].awaits, record.steps[position].status == .waiting {
            arrive(position, at: now)
            return true
        }
        do throws(StepError) {
            if !isItem, record.steps[position].attempt == record.steps[position].attemptsBefore, let when = step.when,
                try !RunContext(self, position).matches(when)
            {
                end(position, as: .skipped, at: now)
                return true
            }
        } catch {
            fail(position, error, at: now)
            return true
        }
        if let forEach = step.forEach, !isItem {
            beginItems(of: position, forEach, at: now)
            return true
        }
        guard !step.action.hasEffect || hasRoom || record.isDryRun else {
            return false
        }
        if let parent = record.steps[position].parent, itemViews[parent] == nil {
            let items = record.steps[parent].input ?? []
            itemViews[parent] = try? JSONDocument(parsing: items, limits: .wrapped).root
        }
        let input: [UInt8]
        do throws(StepError) {
            input = try RunContext(self, position).input(of: step)
            guard !isItem || record.itemBytes + input.count <= RunRecord.maximumItemBytes else {
                throw StepError(code: "items_too_large", detail: "The items of the run are longer than 8 MiB together.")
            }
        } catch {
            update(position) { $0.startedAt = $0.startedAt ?? now }
            if record.isDryRun, error.code == TemplateError.Code.missingValue.rawValue, readsSample(step.input) {
                // What it reads is only there once the step before has really been made.
                update(position) { $0.error = error.bytes }
                end(position, as: .notSimulated, at: now)
            } else {
                fail(position, error, at: now)
            }
            return true
        }
        update(position) { stored in
            stored.status = .running
            stored.attempt += 1
            stored.startedAt = stored.startedAt ?? now
            stored.error = nil
            stored.remaining = nil
            stored.setInput(input, hash: step.constantInputHash)
        }
        if record.isDryRun {
            simulate(position, at: now)
        } else {
            act(position, step, input, at: now)
        }
        return true
    }

    /// What the engine does itself is done at once; an effect outside is recorded first.
    private mutating func act(_ position: Int, _ step: CompiledAutomation.Step, _ input: [UInt8], at now: Int64) {
        switch step.action {
        case .builtIn(.transform):
            succeed(position, output: input, at: now)
        case .builtIn(.emit):
            emit(position, input, at: now)
        case .builtIn(.delay):
            delay(position, input, at: now)
        case .builtIn(.approval):
            ask(position, input, at: now)
        case .builtIn(.waitForSignal):
            meet(position, input, at: now)
        case .builtIn(.run):
            call(position, input, at: now)
        case .builtIn(.http), .builtIn(.webhook), .builtIn(.email), .remote:
            change.started.append(
                RunChange.AttemptStart(position: position, number: record.steps[position].attempt, startedAt: now)
            )
        }
    }

    /// Whether a template reads the output of a step that was only simulated.
    func readsSample(_ template: Template) -> Bool {
        let read = Set(template.references.compactMap(\.step))
        return zip(automation.steps, record.steps).contains { earlier, stored in
            read.contains(earlier.name)
                && (stored.status == .notSimulated || stored.simulation != nil && earlier.action.outputsSample)
        }
    }

    /// In a dry run a step says what it would do, and the run goes on with what its output could be.
    private mutating func simulate(_ position: Int, at now: Int64) {
        let step = definition(at: position)
        do throws(StepError) {
            let input = try RunContext(self, position).simulatedInput(of: step)
            let simulation = try Simulation(
                step.action,
                input,
                recorded: record.steps[position].input ?? input,
                run: record,
                position: position,
                signal: signal
            )
            update(position) { $0.simulation = simulation.bytes }
            if let output = simulation.output {
                succeed(position, output: output, at: now)
            } else {
                end(position, as: .notSimulated, at: now)
            }
        } catch {
            fail(position, error, at: now)
        }
    }

    /// A signal of the run's own is stored and sent with the run itself, so it is no effect outside.
    private mutating func emit(_ position: Int, _ input: [UInt8], at now: Int64) {
        do throws(StepError) {
            let emission = try Emission(
                input,
                run: record,
                position: position,
                turn: turn(at: position),
                causation: signal
            )
            change.emissions.append(emission)
            succeed(position, output: emission.output, at: now)
        } catch {
            fail(position, error, at: now)
        }
    }

    /// The step waits for a timer, unless there is nothing to wait for.
    private mutating func delay(_ position: Int, _ input: [UInt8], at now: Int64) {
        do throws(StepError) {
            let delay = try Delay(input, at: now)
            guard delay.until > now else {
                succeed(position, output: delay.output, at: now)
                return
            }
            update(position) { step in
                step.status = .waiting
                step.remaining = .microseconds(delay.until - now)
                step.setOutput(delay.output)
            }
        } catch {
            fail(position, error, at: now)
        }
    }
}
