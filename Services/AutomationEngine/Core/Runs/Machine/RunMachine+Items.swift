import Domain
import JSON
import Templates

/// Steps that are repeated for items.
extension RunMachine {
    /// Makes a row for each item; they begin as steps do.
    mutating func beginItems(of position: Int, _ forEach: AutomationDefinition.ForEach, at now: Int64) {
        update(position) { step in
            step.status = .running
            step.attempt += 1
            step.startedAt = step.startedAt ?? now
        }
        do throws(StepError) {
            let items = try RunContext(self, position).resolve(forEach.items, secrets: [:]).value
            guard let array = try? JSONDocument(parsing: items, limits: .wrapped).root, array.kind == .array else {
                throw StepError(code: "invalid_input", detail: "The items of for_each are no array.")
            }
            guard array.count <= forEach.maximumItems else {
                throw StepError(
                    code: "too_many_items",
                    detail: "There are \(array.count) items; max_items allows \(forEach.maximumItems)."
                )
            }
            guard record.steps.count - automation.steps.count + array.count <= RunRecord.maximumItems else {
                throw StepError(
                    code: "too_many_items",
                    detail: "A run has at most \(RunRecord.maximumItems) items in all."
                )
            }
            let step = record.steps[position]
            update(position) { stored in
                stored.setInput(items, hash: nil)
                stored.isRepeated = true
                stored.itemCount = array.count
            }
            itemViews[position] = array
            makeItems(of: position, named: step.name, array.count, at: now)
            if record.isDryRun {
                let simulation = Simulation(would: "Do this for each of \(array.count) items.", output: [])
                update(position) { $0.simulation = simulation.bytes }
            }
        } catch {
            guard record.isDryRun, readsSample(forEach.items) else {
                fail(position, error, at: now)
                return
            }
            // Over what it is repeated is only there once the step before has really been made.
            update(position) { $0.error = error.bytes }
            end(position, as: .notSimulated, at: now)
        }
    }

    /// Makes a row for each item, and uses those again that a branch had in its turn before.
    private mutating func makeItems(of position: Int, named name: String, _ count: Int, at now: Int64) {
        let known = record.steps.indices.filter { record.steps[$0].parent == position }
        for item in known where (record.steps[item].item ?? 0) < count {
            update(item) { step in
                step.status = .queued
                step.attemptsBefore = step.attempt
                step.error = nil
                step.output = nil
                step.outputHash = nil
                step.finishedAt = nil
            }
        }
        for item in known where (record.steps[item].item ?? 0) >= count {
            end(item, as: .skipped, at: record.steps[item].finishedAt ?? now)
        }
        for item in known.count..<max(known.count, count) {
            change.added.insert(record.steps.count)
            record.steps.append(
                RunRecord.Step(
                    name: "\(name).\(item)",
                    actionKey: record.steps[position].actionKey,
                    status: .queued,
                    attempt: 0,
                    parent: position,
                    item: item
                )
            )
        }
    }

    /// Ends repeated steps whose items have ended, and gives up what a failure has made needless.
    ///
    /// - Returns: Whether anything has changed.
    mutating func settle(at now: Int64) -> Bool {
        guard record.steps.contains(where: { $0.isRepeated || $0.status == .failed }) else {
            return false
        }
        var hasMoved = false
        for position in automation.steps.indices {
            let step = automation.steps[position]
            let isStopped = record.failing(in: step.branch, of: automation) != nil
            switch record.steps[position].status {
            case .running where record.steps[position].isRepeated:
                hasMoved = settleItems(of: position, isStopped: isStopped, at: now) || hasMoved
            // What a service has been asked to do comes to its end first, like every attempt under way.
            case .waiting where isStopped && !record.steps[position].isSent:
                end(position, as: .canceled, at: now)
                hasMoved = true
            default: break
            }
        }
        if record.failing(in: nil, of: automation) != nil, record.isSettled(nil, of: automation) {
            // What a branch reads of them is then certain.
            for position in automation.steps.indices
            where automation.steps[position].branch == nil && record.steps[position].status == .queued {
                end(position, as: .skipped, at: now)
                hasMoved = true
            }
        }
        return hasMoved
    }

    private mutating func settleItems(of position: Int, isStopped: Bool, at now: Int64) -> Bool {
        let count = record.steps[position].itemCount
        let items = record.steps.indices.filter {
            record.steps[$0].parent == position && (record.steps[$0].item ?? 0) < count
        }
        let failed = items.first { record.steps[$0].status == .failed }
        let stops = isStopped || failed != nil && automation.steps[position].onError != .continue
        if stops {
            for item in items where record.steps[item].status == .waiting && !record.steps[item].isSent {
                end(item, as: .canceled, at: now)
            }
        }
        let isInHand = items.contains { item in
            switch record.steps[item].status {
            case .running, .waiting, .unknown: true
            case .queued: !stops
            default: false
            }
        }
        guard !isInHand else {
            return false
        }
        for item in items where record.steps[item].status == .queued {
            end(item, as: .skipped, at: now)
        }
        endRepeated(position, items, failed: failed, isStopped: isStopped, at: now)
        return true
    }

    private mutating func endRepeated(_ position: Int, _ items: [Int], failed: Int?, isStopped: Bool, at now: Int64) {
        guard failed != nil || !isStopped else {
            end(position, as: .canceled, at: now)
            return
        }
        var outputs = JSONWriter()
        outputs.beginArray()
        for item in items {
            outputs.raw(record.steps[item].output ?? Array("null".utf8))
        }
        outputs.endArray()
        guard let failed else {
            succeed(position, output: outputs.bytes, at: now)
            return
        }
        if outputs.bytes.count <= RunRecord.maximumOutput {
            update(position) { $0.setOutput(outputs.bytes) }
        }
        let count = items.count { record.steps[$0].status == .failed }
        let item = record.steps[failed]
        let reason = Self.detail(of: item)
        fail(
            position,
            StepError(
                code: "item_failed",
                detail: "\(count) of \(items.count) items failed; the first is item \(item.item ?? 0): \(reason)",
                members: ["item": .number(Int64(item.item ?? 0)), "failed": .number(Int64(count))]
            ),
            at: now
        )
    }
}
