/// A regular expression that is matched in time linear in the text, whatever the expression.
///
/// It is a nondeterministic automaton that is in all of its states at once (Thompson, "Regular Expression Search
/// Algorithm", 1968), so nothing is ever tried a second time. Repetitions with bounds are written out, which is why the
/// number of states has a limit. The language is described in `docs/json-schema.md`.
struct LinearRegex: Sendable {
    /// One state.
    enum State: Sendable {
        /// One character of the set at this index leads to the next state.
        case scalars(Int)
        /// Either of two other states.
        case split(Int, Int)
        case jump(Int)
        /// The next state, at the beginning of the text.
        case start
        /// The next state, at the end of the text.
        case end
        case match
    }

    let states: [State]

    let sets: [ScalarSet]

    /// Whether it can match at the beginning of a text only, so that nothing else need be tried.
    let isAnchored: Bool

    /// Compiles an expression.
    ///
    /// - Parameters:
    ///   - pattern: Its text.
    ///   - maximumStates: The most states that it may have.
    /// - Throws: What is wrong with the pattern, or that it has more states.
    init(_ pattern: String, maximumStates: Int = JSONSchemaLimits.maximumStates) throws(RegexError) {
        guard pattern.utf8.count <= JSONSchemaLimits.maximumPatternBytes else {
            throw RegexError(.tooLarge, "A pattern has at most \(JSONSchemaLimits.maximumPatternBytes) bytes.")
        }
        let syntax = try RegexParser.parse(pattern)
        var writer = RegexWriter(maximumStates: maximumStates)
        try writer.write(syntax)
        // One more for the end of the match.
        guard writer.states.count < maximumStates else { throw .tooManyStates }
        states = writer.states + [.match]
        sets = writer.sets
        if case .start = states.first { isAnchored = true } else { isAnchored = false }
    }

    /// Whether any part of a text matches.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - steps: What the caller has left to spend; one for each state that is entered.
    /// - Returns: Nil where the steps did not suffice.
    func matches(_ text: UnsafeBufferPointer<UInt8>, steps: inout Int) -> Bool? {
        var matching = RegexMatching(self)
        var at = 0
        while true {
            if at == 0 || !isAnchored { matching.enter(0, atStart: at == 0, atEnd: at == text.count) }
            if matching.isMatched { return true }
            guard at < text.count, !matching.isStuck || !isAnchored else { return false }
            let scalar = Self.scalar(in: text, at: &at)
            matching.advance(scalar, atEnd: at == text.count)
            steps -= matching.takeSteps()
            if matching.isMatched { return true }
            guard steps >= 0 else { return nil }
        }
    }

    /// Whether any part of a text matches, however many steps it takes.
    func matches(_ text: String) -> Bool {
        var text = text
        var steps = Int.max
        return text.withUTF8 { matches($0, steps: &steps) } ?? false
    }

    /// The scalar at a place of valid UTF-8, and the place behind it.
    private static func scalar(in text: UnsafeBufferPointer<UInt8>, at: inout Int) -> UInt32 {
        let lead = UInt32(text[at])
        at += 1
        guard lead >= 0x80 else { return lead }
        let count = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1
        var scalar = lead & (0x3F >> UInt32(count))
        for _ in 0..<count where at < text.count {
            scalar = scalar << 6 | UInt32(text[at] & 0x3F)
            at += 1
        }
        return scalar
    }
}

/// All states that a regular expression is in at one place of a text.
struct RegexMatching {
    private let regex: LinearRegex

    /// The states that wait for a character.
    private var current: [Int] = []
    /// Those of the place before.
    private var waiting: [Int] = []
    private(set) var isMatched = false

    /// For each state the last place at which it was entered.
    private var marks: [Int]
    private var place = 0
    private var pending: [Int] = []
    private var steps = 0

    init(_ regex: LinearRegex) {
        self.regex = regex
        marks = [Int](repeating: -1, count: regex.states.count)
    }

    /// Whether no state waits for a character.
    var isStuck: Bool { current.isEmpty }

    /// What has been spent since this was asked last.
    mutating func takeSteps() -> Int {
        defer { steps = 0 }
        return steps
    }

    /// Goes on to the next place of the text, by a character.
    mutating func advance(_ scalar: UInt32, atEnd: Bool) {
        swap(&current, &waiting)
        current.removeAll(keepingCapacity: true)
        place += 1
        steps += waiting.count + 1
        for state in waiting {
            guard case .scalars(let set) = regex.states[state], regex.sets[set].contains(scalar) else { continue }
            enter(state + 1, atStart: false, atEnd: atEnd)
        }
    }

    /// Enters a state and all that it leads to without a character.
    mutating func enter(_ state: Int, atStart: Bool, atEnd: Bool) {
        pending.append(state)
        while let state = pending.popLast() {
            guard marks[state] != place else { continue }
            marks[state] = place
            steps += 1
            switch regex.states[state] {
            case .scalars: current.append(state)
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .jump(let target): pending.append(target)
            case .start: if atStart { pending.append(state + 1) }
            case .end: if atEnd { pending.append(state + 1) }
            case .match: isMatched = true
            }
        }
    }
}

/// Writes the states of a regular expression.
private struct RegexWriter {
    private(set) var states: [LinearRegex.State] = []
    private(set) var sets: [ScalarSet] = []
    private var indexes: [ScalarSet: Int] = [:]
    private let maximumStates: Int

    /// What has been written, the parts without states included, so that repeating nothing ends too.
    private var parts = 0

    init(maximumStates: Int) { self.maximumStates = maximumStates }

    /// Writes an expression; recursive, as deep as its groups.
    mutating func write(_ syntax: RegexSyntax) throws(RegexError) {
        parts += 1
        guard states.count < maximumStates, parts <= 4 * maximumStates else {
            throw .tooManyStates
        }
        switch syntax {
        case .scalars(let set): states.append(.scalars(index(of: set)))
        case .start: states.append(.start)
        case .end: states.append(.end)
        case .sequence(let items): for item in items { try write(item) }
        case .alternatives(let alternatives): try write(alternatives: alternatives)
        case .repeated(let item, let least, let most): try write(item, least, most)
        }
    }

    private mutating func index(of set: ScalarSet) -> Int {
        if let index = indexes[set] { return index }
        sets.append(set)
        indexes[set] = sets.count - 1
        return sets.count - 1
    }

    private mutating func write(alternatives: [RegexSyntax]) throws(RegexError) {
        var exits: [Int] = []
        for (index, alternative) in alternatives.enumerated() {
            guard index < alternatives.count - 1 else {
                try write(alternative)
                break
            }
            let split = states.count
            states.append(.split(split + 1, split + 1))
            try write(alternative)
            exits.append(states.count)
            states.append(.jump(0))
            states[split] = .split(split + 1, states.count)
        }
        for exit in exits { states[exit] = .jump(states.count) }
    }

    private mutating func write(_ item: RegexSyntax, _ least: Int, _ most: Int?) throws(RegexError) {
        for _ in 0..<least { try write(item) }
        guard let most else {
            let split = states.count
            states.append(.split(split + 1, split + 1))
            try write(item)
            states.append(.jump(split))
            states[split] = .split(split + 1, states.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(states.count)
            states.append(.split(states.count + 1, states.count + 1))
            try write(item)
        }
        for split in splits { states[split] = .split(split + 1, states.count) }
    }
}
