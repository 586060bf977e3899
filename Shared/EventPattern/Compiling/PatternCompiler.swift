import JSON

/// Reads a pattern, collects its faults, and multiplies out its `$or`.
struct PatternCompiler {
    private let origin: JSONPointer
    private(set) var faults: [EventPatternError.Fault] = []
    private var leaves: [Leaf] = []
    private var pathNames: [[[UInt8]]] = []
    private var overridden: Set<Int> = []
    private var values = 0
    private var hasTooManyFields = false
    private var hasTooManyValues = false
    private var hasTooManyAlternatives = false

    init(origin: JSONPointer) { self.origin = origin }

    /// The pattern, compiled.
    mutating func compile(_ view: JSONView) throws(EventPatternError) -> PatternProgram {
        var alternatives: [UInt64] = []
        if view.kind == .object {
            compile(object: view, at: Place(pointer: origin), into: &alternatives)
        } else {
            report(.notAnObject, origin, "A pattern is a JSON object, and this is \(Wording.article(view.kind)).")
        }
        guard faults.isEmpty else { throw EventPatternError(faults: faults) }
        return program(alternatives)
    }

    /// Adds a fault, up to the most that an error lists.
    mutating func report(_ code: EventPatternError.Code, _ pointer: JSONPointer, _ detail: String) {
        guard faults.count < EventPatternError.maximumFaults else { return }
        faults.append(EventPatternError.Fault(code: code, pointer: pointer, detail: detail))
    }

    /// Counts a value of a list.
    mutating func count(valueAt pointer: JSONPointer) {
        values += 1
        guard values > EventPattern.maximumValues, !hasTooManyValues else { return }
        hasTooManyValues = true
        report(
            .tooManyValues,
            pointer,
            "The pattern has more than \(EventPattern.maximumValues) values and operators; this is the first beyond."
        )
    }
}

/// Where the compiler is.
private struct Place {
    var pointer: JSONPointer
    var names: [[UInt8]] = []
    var isInsideOr = false
    var orDepth = 0

    func member(_ name: String) -> Place {
        var place = self
        place.pointer = pointer.appending(name)
        let parts = Array(name.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        place.names.append(contentsOf: parts.map(Array.init))
        return place
    }
}

extension PatternCompiler {
    /// Reads fields, which all of the alternatives so far get.
    ///
    /// Recursion is bounded, as what is too deep is not entered.
    private mutating func compile(object: JSONView, at place: Place, into alternatives: inout [UInt64]) {
        if object.count == 0 {
            report(.emptyObject, place.pointer, "This object is empty; it must name at least one field.")
        }
        for member in object.members {
            let name = member.key
            if name == "$or" {
                compile(or: member.value, at: place, into: &alternatives)
                continue
            }
            let inner = place.member(name)
            if place.isInsideOr, Self.reservedNames.contains(name) {
                report(
                    .reservedName,
                    inner.pointer,
                    "\(Wording.quote(name)) is the name of an operator, and no field inside $or may be called so."
                )
                continue
            }
            guard inner.names.count <= EventPattern.maximumDepth else {
                report(.tooDeep, inner.pointer, "A field lies at most \(EventPattern.maximumDepth) names deep.")
                continue
            }
            switch member.value.kind {
            case .object: compile(object: member.value, at: inner, into: &alternatives)
            case .array: compile(list: member.value, at: inner, into: &alternatives)
            case .null, .bool, .number, .string:
                report(
                    .notAList,
                    inner.pointer,
                    "\(Wording.quote(name)) must be a list of values or an object of fields, and it is "
                        + "\(Wording.article(member.value.kind))."
                )
            }
        }
    }

    /// Forks every alternative so far into one for each object of `$or`.
    private mutating func compile(or view: JSONView, at place: Place, into alternatives: inout [UInt64]) {
        var inner = place
        inner.isInsideOr = true
        inner.orDepth += 1
        let pointer = place.pointer.appending("$or")
        guard view.kind == .array, view.count >= 2 else {
            report(.invalidOr, pointer, "$or must be a list of at least two objects.")
            return
        }
        guard inner.orDepth <= EventPattern.maximumDepth else {
            report(.tooDeep, pointer, "$or is nested at most \(EventPattern.maximumDepth) levels deep.")
            return
        }
        var collected: [UInt64] = []
        for (index, element) in view.elements.enumerated() {
            inner.pointer = pointer.appending(index)
            guard element.kind == .object else {
                report(
                    .invalidOr,
                    inner.pointer,
                    "$or may only hold objects, and this is \(Wording.article(element.kind))."
                )
                continue
            }
            var forked = alternatives.isEmpty ? [0] : alternatives
            compile(object: element, at: inner, into: &forked)
            collected.append(contentsOf: forked)
            guard collected.count > EventPattern.maximumAlternatives else { continue }
            collected.removeSubrange(EventPattern.maximumAlternatives...)
            reportTooManyAlternatives(at: pointer)
        }
        alternatives = collected
    }

    private mutating func reportTooManyAlternatives(at pointer: JSONPointer) {
        guard !hasTooManyAlternatives else { return }
        hasTooManyAlternatives = true
        report(
            .tooManyAlternatives,
            pointer,
            "With this $or the pattern has more than \(EventPattern.maximumAlternatives) alternatives: "
                + "all of its $or multiply."
        )
    }

    /// Reads a field's list.
    private mutating func compile(list: JSONView, at place: Place, into alternatives: inout [UInt64]) {
        if list.count == 0 {
            report(.emptyList, place.pointer, "This list is empty; it must hold at least one value.")
        }
        var conditions: [Condition] = []
        var allowsAbsence = false
        for (index, element) in list.elements.enumerated() {
            let pointer = place.pointer.appending(index)
            count(valueAt: pointer)
            guard !hasTooManyValues else { return }
            switch value(element, at: pointer) {
            case .present(let condition)?: conditions.append(condition)
            case .absent?: allowsAbsence = true
            case nil: break
            }
        }
        guard let leaf = addLeaf(place, conditions, allowsAbsence: allowsAbsence) else { return }
        if alternatives.isEmpty { alternatives = [0] }
        let samePath = leaves.indices.filter { $0 != leaf && leaves[$0].pathIndex == leaves[leaf].pathIndex }
        for index in alternatives.indices {
            for other in samePath where alternatives[index] & 1 << UInt64(other) != 0 {
                alternatives[index] &= ~(1 << UInt64(other))
                overridden.insert(other)
            }
            alternatives[index] |= 1 << UInt64(leaf)
        }
    }

    private mutating func addLeaf(_ place: Place, _ conditions: [Condition], allowsAbsence: Bool) -> Int? {
        guard leaves.count < EventPattern.maximumFields else {
            if !hasTooManyFields {
                hasTooManyFields = true
                let detail = "The pattern has more than \(EventPattern.maximumFields) fields; this is the first beyond."
                report(.tooManyFields, place.pointer, detail)
            }
            return nil
        }
        let pathIndex = pathNames.firstIndex(of: place.names) ?? pathNames.count
        if pathIndex == pathNames.count { pathNames.append(place.names) }
        let path = place.names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        leaves.append(
            Leaf(
                names: place.names,
                path: path,
                pathIndex: pathIndex,
                conditions: conditions,
                allowsAbsence: allowsAbsence,
                pointer: place.pointer,
                position: leaves.count
            )
        )
        return leaves.count - 1
    }

    /// Sorts the leaves by path and renumbers them.
    private func program(_ alternatives: [UInt64]) -> PatternProgram {
        let units = leaves.map { Array($0.path.utf16) }
        let order = leaves.indices.sorted { left, right in
            guard units[left] != units[right] else { return left < right }
            return units[left].lexicographicallyPrecedes(units[right])
        }
        let renumbered = alternatives.map { alternative in
            order.indices.reduce(into: UInt64(0)) { bits, new in
                bits |= (alternative >> UInt64(order[new]) & 1) << UInt64(new)
            }
        }
        return PatternProgram(
            leaves: order.map { leaves[$0] },
            alternatives: renumbered,
            pathNames: pathNames,
            overridden: overridden.sorted().map { leaves[$0].pointer }
        )
    }

    /// The names that aws/event-ruler reserves for operators, present and planned.
    private static let reservedNames: Set<String> = [
        "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
        "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
        "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
    ]
}
