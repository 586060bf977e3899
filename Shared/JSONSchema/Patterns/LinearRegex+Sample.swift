extension LinearRegex {
    /// A text that matches, as short as may be.
    ///
    /// The states are walked as in matching, and each remembers from which it was reached and by which character.
    ///
    /// - Parameters:
    ///   - minimumLength: The least number of characters.
    ///   - variant: Which of the texts that differ in characters of the same sets.
    ///   - steps: What the caller has left to spend; about one for each state that is entered.
    /// - Returns: Nil where none is found within bounds.
    func sample(minimumLength: Int = 0, variant: Int = 0, steps: inout Int) -> String? {
        var search = RegexSampleSearch(self)
        // A longer text would pass a state twice behind the least length, so there would be a shorter one.
        while steps > 0, search.layers.count <= minimumLength + states.count + 1 {
            if search.layers.count > minimumLength, let sets = search.sets() {
                return Self.text(of: sets, variant: variant)
            }
            guard search.extend() else { return nil }
            steps -= 8 * (search.layers.last.map { $0.count + 1 } ?? 0)
        }
        return nil
    }

    /// A text of one character of each set; the variants are counted as with digits, the last the quickest.
    private static func text(of sets: [[Unicode.Scalar]], variant: Int) -> String? {
        var rest = variant
        var scalars: [Unicode.Scalar] = []
        for set in sets.reversed() {
            guard !set.isEmpty else { return nil }
            scalars.append(set[rest % set.count])
            rest /= set.count
        }
        guard rest == 0 else { return nil }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars.reversed())
        return String(text)
    }
}

/// The states that are reached after each number of characters.
private struct RegexSampleSearch {
    /// A state that waits for a character, or one behind the match, and how it was reached.
    struct Step {
        /// The state; nil behind the match, where any character may follow.
        var state: Int?
        /// The index in the layer before.
        var from: Int
        /// The set whose character led here; nil for any character.
        var set: Int?
    }

    private static let filler: [Unicode.Scalar] = ["a"]

    private let regex: LinearRegex
    private(set) var layers: [[Step]] = []

    init(_ regex: LinearRegex) {
        self.regex = regex
        layers = [[]]
        var seen = Set<Int?>()
        enter(0, Step(state: 0, from: 0, set: nil), isStart: true, &seen)
    }

    /// Adds the layer after one character more; false where no state leads on.
    mutating func extend() -> Bool {
        guard let last = layers.last else { return false }
        layers.append([])
        var seen = Set<Int?>()
        for (index, step) in last.enumerated() {
            guard let state = step.state else {
                enter(nil, Step(state: nil, from: index, set: nil), isStart: false, &seen)
                continue
            }
            guard case .scalars(let set) = regex.states[state], !regex.sets[set].ranges.isEmpty else { continue }
            enter(state + 1, Step(state: state, from: index, set: set), isStart: false, &seen)
        }
        // A match may begin here as well, behind characters of no meaning.
        if !regex.isAnchored {
            enter(0, Step(state: 0, from: -1, set: nil), isStart: false, &seen)
        }
        return layers.last?.isEmpty == false
    }

    /// What each character may be of a text that ends with the last layer, if its end completes a match.
    func sets() -> [[Unicode.Scalar]]? {
        guard let last = layers.last else { return nil }
        guard let index = last.firstIndex(where: { $0.state == nil || $0.state == regex.states.count - 1 }) else {
            return nil
        }
        var sets: [[Unicode.Scalar]] = []
        var at = index
        for layer in layers.indices.dropFirst().reversed() {
            guard at >= 0 else {
                sets.append(Self.filler)
                continue
            }
            let step = layers[layer][at]
            sets.append(step.set.map { regex.sets[$0].examples } ?? Self.filler)
            at = step.from
        }
        return sets.reversed()
    }

    /// Enters a state and all that it leads to without a character; `$` is taken to hold only at the text's end, so
    /// what comes behind it can only end the text.
    private mutating func enter(_ state: Int?, _ step: Step, isStart: Bool, _ seen: inout Set<Int?>) {
        var pending: [(state: Int?, isEnd: Bool)] = [(state, false)]
        while let (state, isEnd) = pending.popLast() {
            guard seen.insert(isEnd ? state.map { -1 - $0 } : state).inserted else { continue }
            var step = step
            step.state = state
            guard let state else {
                layers[layers.count - 1].append(step)
                continue
            }
            switch regex.states[state] {
            case .scalars: if !isEnd { layers[layers.count - 1].append(step) }
            case .split(let first, let second): pending += [(second, isEnd), (first, isEnd)]
            case .jump(let target): pending.append((target, isEnd))
            case .start: if isStart { pending.append((state + 1, isEnd)) }
            case .end: pending.append((state + 1, true))
            case .match:
                // Behind `$` the text must end, else anything may follow.
                if !isEnd { step.state = nil }
                layers[layers.count - 1].append(step)
            }
        }
    }
}
