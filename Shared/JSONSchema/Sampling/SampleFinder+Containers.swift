import JSON

extension SampleFinder {
    /// How many other containers are tried where the smallest one will not do.
    private static let maximumVariants = 40

    // MARK: - Arrays

    /// An array of as few elements as may be.
    mutating func array(_ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        let contained = needs.arrays.map { rules in rules.contains == nil ? 0 : rules.minimumContained ?? 1 }.max() ?? 0
        let least = max(needs.arrays.compactMap(\.minimum).max() ?? 0, contained)
        let prefix = needs.arrays.map(\.prefix.count).max() ?? 0
        var counts = [least]
        // Elements that must be contained may have to stand behind those that have positions of their own.
        if contained > 0 { counts += [prefix + contained] }
        counts += (1...4).map { least + $0 }
        for count in counts where count <= Self.maximumSize {
            if let value = array(of: count, containing: contained, goal, needs) { return value }
            guard !isSpent else { return nil }
        }
        return nil
    }

    private mutating func array(
        of count: Int,
        containing contained: Int,
        _ goal: SampleGoal,
        _ needs: SampleNeeds
    ) -> JSONValue? {
        var tried: Set<[UInt8]> = []
        let variants = goal.excluded.isEmpty ? 1 : min(goal.excluded.count + 1, Self.maximumVariants)
        for _ in 0..<variants {
            guard let elements = elements(count, containing: contained, needs, firstExcluding: tried) else {
                return nil
            }
            if let value = accept(.array(elements), goal) { return value }
            guard !isSpent, let first = elements.first?.sampleKey else { return nil }
            tried.insert(first)
        }
        return nil
    }

    private mutating func elements(
        _ count: Int,
        containing contained: Int,
        _ needs: SampleNeeds,
        firstExcluding tried: Set<[UInt8]>
    ) -> [JSONValue]? {
        let isUnique = needs.arrays.contains(where: \.isUnique)
        var used: Set<[UInt8]> = []
        var elements: [JSONValue] = []
        for position in 0..<count {
            var schemas = needs.arrays.compactMap { $0.schema(at: position) }
            if position >= count - contained { schemas += needs.arrays.compactMap(\.contains) }
            let excluded = (isUnique ? used : []).union(position == 0 ? tried : [])
            guard let element = value(of: schemas, excluding: excluded) else { return nil }
            if isUnique, let key = element.sampleKey { used.insert(key) }
            elements.append(element)
        }
        return elements
    }

    // MARK: - Objects

    /// An object of as few members as may be.
    mutating func object(_ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        guard var names = names(needs) else { return nil }
        if let value = object(of: names, goal, needs) { return value }
        // Members that need not be there may make the difference.
        for name in needs.objects.flatMap(\.names).filter({ $0.schema != nil }).map(\.utf8) {
            guard !isSpent, !names.contains(name) else { continue }
            names.append(name)
            if let value = object(of: names, goal, needs) { return value }
        }
        return nil
    }

    private mutating func object(of names: [[UInt8]], _ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        var tried: Set<[UInt8]> = []
        let variants = goal.excluded.isEmpty ? 1 : min(goal.excluded.count + 1, Self.maximumVariants)
        for _ in 0..<variants {
            var members: [JSONMember] = []
            for (position, name) in names.enumerated() {
                let excluded = position == 0 ? tried : []
                guard let member = value(of: schemas(of: name, needs), excluding: excluded) else { return nil }
                members.append(JSONMember(String(decoding: name, as: UTF8.self), member))
            }
            if let value = accept(.object(members), goal) { return value }
            guard !isSpent, let first = members.first?.value.sampleKey else { return nil }
            tried.insert(first)
        }
        return nil
    }

    /// The schemas that a member of this name must meet.
    private mutating func schemas(of name: [UInt8], _ needs: SampleNeeds) -> [Int] {
        needs.objects.flatMap { rules in
            var schemas = rules.indexes[name].flatMap { rules.names[$0].schema }.map { [$0] } ?? []
            for (pattern, schema) in rules.patterns {
                var steps = JSONSchemaLimits.maximumSteps / 64
                let matches = name.withUnsafeBufferPointer { pattern.regex.matches($0, steps: &steps) }
                if matches == true { schemas.append(schema) }
            }
            if schemas.isEmpty, let additional = rules.additional { schemas.append(additional) }
            return schemas
        }
    }

    /// The names that must be there, with others up to the least number of members.
    private mutating func names(_ needs: SampleNeeds) -> [[UInt8]]? {
        var names = needs.objects.flatMap(\.names).filter(\.isRequired).map(\.utf8)
        addDependents(needs, to: &names)
        let least = needs.objects.compactMap(\.minimum).max() ?? 0
        guard least <= Self.maximumSize else { return nil }
        for name in needs.objects.flatMap(\.names).filter({ $0.schema != nil }) where names.count < least {
            guard !names.contains(name.utf8) else { continue }
            names.append(name.utf8)
            addDependents(needs, to: &names)
        }
        var used = Set(names.map { Self.key(ofName: $0) })
        while names.count < least {
            guard let name = newName(needs, excluding: used) else { return nil }
            names.append(name)
            used.insert(Self.key(ofName: name))
        }
        return names
    }

    /// Adds what the names demand, once each.
    private func addDependents(_ needs: SampleNeeds, to names: inout [[UInt8]]) {
        var seen: Set<[UInt8]> = []
        names = names.filter { seen.insert($0).inserted }
        var at = 0
        while at < names.count {
            for rules in needs.objects {
                guard let index = rules.indexes[names[at]] else { continue }
                for dependent in rules.names[index].dependents.map({ rules.names[$0].utf8 }) {
                    if seen.insert(dependent).inserted { names.append(dependent) }
                }
            }
            at += 1
        }
    }

    /// A name that no keyword speaks of, or that a pattern of names allows.
    private mutating func newName(_ needs: SampleNeeds, excluding used: Set<[UInt8]>) -> [UInt8]? {
        let schemas = needs.objects.compactMap(\.nameSchema)
        if schemas.isEmpty {
            for pattern in needs.objects.flatMap(\.patterns).map(\.pattern) {
                for variant in 0...min(used.count, 64) {
                    guard let text = pattern.regex.sample(variant: variant, steps: &stepsLeft) else { break }
                    let name = Array(text.utf8)
                    if !used.contains(Self.key(ofName: name)) { return name }
                }
            }
        }
        for number in 0...used.count where schemas.isEmpty {
            let name = Array("member\(number + 1)".utf8)
            if !used.contains(Self.key(ofName: name)) { return name }
        }
        guard case .string(let text)? = value(of: schemas, excluding: used) else { return nil }
        return Array(text.utf8)
    }

    private static func key(ofName name: [UInt8]) -> [UInt8] {
        JSONValue.string(String(decoding: name, as: UTF8.self)).sampleKey ?? []
    }
}
