#!/usr/bin/env python3
"""Verify an export of a tamper-evident audit log.

This program is written from the document "The format of the audit log" alone. It needs Python 3.11 and its standard
library. Each function names the section of the document that it implements; "step 6" is the sixth step of the section
"Verifying an export".

Usage:

    verify_export.py DIR --key VKEY [--key VKEY ...] [--witness-key VKEY ...] [--known FILE ...] [--format text|json]
    verify_export.py FILE.jsonl --key VKEY [--key VKEY ...] [--witness-key VKEY ...] [--format text|json]

    DIR            the directory of an export
    FILE.jsonl     entries with their proofs
    --key          a verifier key of the log; may be repeated
    --witness-key  a verifier key of a witness, of type 0x04; may be repeated
    --known        a file with a checkpoint that was kept earlier; may be repeated, the order counts
    --format       text (for people) or json (one line)

Exit status: 0 good, 1 bad (the log or the export was changed), 3 incomplete (what is there is genuine, and something
is missing), 2 the program was called wrongly, and nothing was verified.

Memory: the hashes of all entries are held, and the id of each; the entries themselves are read file by file, twice.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import math
import os
import re
import stat
import sys
from array import array
from typing import Iterator, NamedTuple, NoReturn

HASH = 32  # bytes of a SHA-256
WIDTH = 256  # hashes of a full tile
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 16
MAX_ENTRY = 65_535
MAX_WHOLE = 2**53 - 1  # the greatest epoch and seq
MAX_DEPTH = 80  # objects and arrays within one another
TENANT = re.compile(r"[a-z][a-z0-9-]{0,62}")
TYPE_NOTE = 0x01
TYPE_TIMED = 0x04
EXIT = {"good": 0, "bad": 1, "incomplete": 3}
EXIT_USAGE = 2


class Fault(Exception):
    """The result of a verification that failed: what is wrong, where, and the verdict."""

    def __init__(self, fault: str, place: object, verdict: str = "bad"):
        super().__init__(fault, place, verdict)
        self.fault, self.place, self.verdict = fault, str(place), verdict


class Malformed(Exception):
    """Something has not the form it must have. The step in which it is met makes it a fault."""


class UsageError(Exception):
    """The program was called wrongly."""


@contextlib.contextmanager
def blame(fault: str, place: object) -> Iterator[None]:
    """Section "Verifying an export": whatever goes wrong inside is this fault at this place."""
    try:
        yield
    except (Fault, MemoryError):
        raise
    except Exception as error:
        raise Fault(fault, place) from error


def require(condition: object, what: str) -> None:
    """Refuse what is not as the document says."""
    if not condition:
        raise Malformed(what)


# ---------------------------------------------------------------------------------------------------------------------
# Ed25519, RFC 8032, section 5.1. Points are held in extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def point_add(a: Point, b: Point) -> Point:
    """RFC 8032, section 5.1.4. The formula is complete: it doubles, too."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % P, z * t % P, y * z % P, x * t % P


def point_multiply(scalar: int, point: Point) -> Point:
    """Double and add. Nothing here is secret, so the time it takes may show the scalar."""
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_negate(point: Point) -> Point:
    x, y, z, t = point
    return P - x, y, z, P - t


def point_encode(point: Point) -> bytes:
    """RFC 8032, section 5.1.2."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_decode(data: bytes) -> Point:
    """RFC 8032, section 5.1.3. Encodings that are not canonical are refused."""
    require(len(data) == 32, "a point has 32 bytes")
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    require(y < P, "y is not reduced")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_MINUS_1 % P
    require(v * x * x % P == u, "not a point of the curve")
    require(x or not sign, "the sign of x = 0 is set")
    return (x if x & 1 == sign else P - x), y, 1, (x if x & 1 == sign else P - x) * y % P


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032, section 5.1.7, with the equation without the cofactor: [S]B = R + [k]A.

    R is computed, encoded and compared as bytes. So an R that is not encoded canonically never passes.
    """
    if len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    minus_a = point_negate(point_decode(public))
    return point_encode(point_add(point_multiply(s, BASE), point_multiply(k, minus_a))) == r


# ---------------------------------------------------------------------------------------------------------------------
# Section "Keys".

NAME = re.compile(r"[!-*,-~]{1,255}")  # printable ASCII without a space and without "+"


class Key(NamedTuple):
    name: str
    type: int
    public: bytes
    is_log: bool

    def id(self) -> bytes:
        """Section "Keys": the key id."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public)[:4]


Keys = dict[tuple[str, bytes], Key]  # by name and key id


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def base64_decode(text: str) -> bytes:
    """Section "Keys": RFC 4648, section 4, with padding; only what encoding the bytes gives back."""
    data = base64.b64decode(text.encode("ascii"), validate=True)
    require(base64.b64encode(data).decode() == text, "base64 that encoding does not give")
    return data


def base64_hash(text: str) -> bytes:
    """A SHA-256 in base64."""
    data = base64_decode(text)
    require(len(data) == HASH, "a hash has 32 bytes")
    return data


def parse_verifier_key(text: str, is_log: bool) -> Key:
    """Section "Keys": `<name>+<key id in 8 hex digits>+<base64 of (type ‖ public key)>`."""
    name, key_id, encoded = text.split("+", 2)
    require(NAME.fullmatch(name), "the name")
    require(re.fullmatch(r"[0-9a-fA-F]{8}", key_id), "the key id")
    data = base64_decode(encoded)
    require(len(data) == 33 and data[0] in (TYPE_NOTE, TYPE_TIMED), "the type or the length")
    require(is_canonical_key(data[1:]), "the key is not in canonical encoding")
    key = Key(name, data[0], data[1:], is_log)
    require(key.id().hex() == key_id.lower(), "the key id is not that of the key")
    return key


def is_canonical_key(public: bytes) -> bool:
    """Section "Keys": what can be told from the bytes. A number that is on no point verifies nothing."""
    number = int.from_bytes(public, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    return y < P and not (sign and y in (1, P - 1))


def key_ring(log_keys: list[str], witness_keys: list[str]) -> Keys:
    """Section "Keys": a key of the log stands for both types, a key of a witness for type 0x04 alone."""
    ring: Keys = {}
    for text in log_keys:
        key = usable_key(text, True)
        for type_ in (TYPE_NOTE, TYPE_TIMED):
            add_key(ring, key._replace(type=type_))
    for text in witness_keys:
        key = usable_key(text, False)
        if key.type != TYPE_TIMED:
            raise UsageError(f"the key of a witness is not of type 0x04: {text}")
        add_key(ring, key)
    return ring


def usable_key(text: str, is_log: bool) -> Key:
    try:
        return parse_verifier_key(text, is_log)
    except Exception as error:
        raise UsageError(f"this is no verifier key: {text!r}") from error


def add_key(ring: Keys, key: Key) -> None:
    """A key may be given twice. What is given as a key of the log stays one."""
    other = ring.setdefault((key.name, key.id()), key)
    if (other.type, other.public) != (key.type, key.public):
        raise UsageError(f"two keys have the name {key.name} and the key id {key.id().hex()}")


# ---------------------------------------------------------------------------------------------------------------------
# Section "Checkpoints".

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # every control character of Unicode but LF
NUMBER_63 = re.compile(r"0|[1-9][0-9]{0,18}")


class Signature(NamedTuple):
    name: str
    key_id: bytes
    value: bytes


class Note(NamedTuple):
    lines: list[str]  # of the text, without LF
    text: bytes  # what is signed: the lines, each with its LF
    signatures: list[Signature]


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


class Scope(NamedTuple):
    tenant: str
    entries: int
    digest: bytes


def parse_note(raw: bytes, text_lines: int) -> Note:
    """Section "Checkpoints", and step 1: a signed note whose text has so many lines."""
    require(len(raw) <= MAX_NOTE, "a note has at most 64 KiB")
    whole = raw.decode("utf-8")
    require(not CONTROL.search(whole), "a control character")
    *lines, rest = whole.split("\n")
    require(rest == "", "the last line is not ended")
    require(len(lines) > text_lines and lines[text_lines] == "", "the empty line is not where it must be")
    signatures = [parse_signature(line) for line in lines[text_lines + 1 :]]
    require(len(signatures) <= MAX_SIGNATURES, "more than 16 signatures")
    signers = {(signature.name, signature.key_id) for signature in signatures}
    require(len(signers) == len(signatures), "two signatures of one key")
    text = "".join(line + "\n" for line in lines[:text_lines]).encode()
    return Note(lines[:text_lines], text, signatures)


def parse_signature(line: str) -> Signature:
    """Section "Checkpoints": `— <name> <base64 of (key id ‖ signature)>`."""
    dash, name, encoded = line.split(" ")
    require(dash == "\u2014" and NAME.fullmatch(name), "a line of a signature")
    data = base64_decode(encoded)
    require(len(data) > 4, "a signature without bytes")
    return Signature(name, data[:4], data[4:])


def parse_number(text: str) -> int:
    """Section "Checkpoints": decimal without leading zeros and below 2^63."""
    require(NUMBER_63.fullmatch(text), "a number")
    number = int(text)
    require(number < 2**63, "a number of 2^63 or more")
    return number


def signature_valid(key: Key, text: bytes, value: bytes) -> bool:
    """Section "Checkpoints": what is signed, for both types."""
    if key.type == TYPE_NOTE:
        return ed25519_valid(key.public, text, value)
    if len(value) != 72:
        return False
    time = int.from_bytes(value[:8], "big")
    return time < 2**63 and ed25519_valid(key.public, b"cosignature/v1\ntime %d\n" % time + text, value[8:])


def signers(note: Note, keys: Keys, pass_over_unknown: bool) -> list[Key]:
    """Steps 1 to 3: the keys that signed the note. A signature of a given key that is not valid is refused."""
    found = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            require(pass_over_unknown, "a signature of an unknown key")
            continue
        require(signature_valid(key, note.text, signature.value), "a signature that is not valid")
        found.append(key)
    return found


def open_checkpoint(raw: bytes, keys: Keys, pass_over_unknown: bool) -> Checkpoint:
    """Steps 1 and 2: a checkpoint that the log has signed."""
    note = parse_note(raw, 3)
    checkpoint = Checkpoint(note.lines[0], parse_number(note.lines[1]), base64_hash(note.lines[2]))
    by = signers(note, keys, pass_over_unknown)
    require(any(is_note_key_of(key, checkpoint.origin) for key in by), "the log has not signed")
    return checkpoint


def is_note_key_of(key: Key, origin: str) -> bool:
    """Section "Keys": the name of a key of the log is its origin. Type 0x01 says what the log is."""
    return key.is_log and key.type == TYPE_NOTE and key.name == origin


# ---------------------------------------------------------------------------------------------------------------------
# Section "The tree".


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def hash_at(row: bytes, index: int) -> bytes:
    return row[index * HASH : (index + 1) * HASH]


def tree_rows(leaves: bytes) -> list[bytes]:
    """Section "The tree": the rows of the tree from the leaves to the root.

    Hashes are joined in pairs; one that is left over goes up as it is. This gives the root of RFC 6962: the left part
    of a tree is always complete, and so is each pair but the last. In row h the first n >> h hashes are roots of
    complete subtrees over 2^h leaves.
    """
    rows = [leaves]
    while len(rows[-1]) > HASH:
        rows.append(next_row(rows[-1]))
    return rows


def next_row(row: bytes) -> bytes:
    paired = len(row) // (2 * HASH) * (2 * HASH)
    nodes = [sha256(b"\x01" + row[at : at + 2 * HASH]) for at in range(0, paired, 2 * HASH)]
    return b"".join(nodes) + row[paired:]


def root_of_first(rows: list[bytes], count: int) -> bytes:
    """Section "The tree": the root of the first `count` leaves, out of the complete subtrees that make them up."""
    if count == 0:
        return sha256(b"")
    peaks, start = [], 0
    for height in reversed(range(count.bit_length())):
        if count >> height & 1:
            peaks.append(hash_at(rows[height], start >> height))
            start += 1 << height
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def inclusion_root(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """RFC 6962, section 2.1.1: the root that follows from a leaf and its inclusion proof."""
    require(0 <= index < size, "an index beyond the tree")
    last, root, rest = size - 1, leaf, list(reversed(proof))
    while last:
        if index & 1:
            root = node_hash(rest.pop(), root)
        elif index < last:
            root = node_hash(root, rest.pop())
        index, last = index >> 1, last >> 1
    require(not rest, "a proof that is too long")
    return root


# Section "Tiles".


class Tile(NamedTuple):
    level: int
    index: int
    width: int

    def path(self) -> str:
        return numbered_path(f"tile/{self.level}", self.index, self.width)

    def entries_path(self) -> str:
        """Section "An export": the file of entries that belongs to a tile of level 0."""
        return numbered_path("tile/entries", self.index, self.width)


def numbered_path(folder: str, index: int, width: int) -> str:
    """Section "Tiles": groups of three digits, each but the last with an `x` before it; a partial one has `.p/<W>`."""
    path = f"{index % 1000:03d}"
    while index := index // 1000:
        path = f"x{index % 1000:03d}/{path}"
    return f"{folder}/{path}" + (f".p/{width}" if width < WIDTH else "")


def level_counts(size: int) -> list[int]:
    """Section "Tiles": how many hashes each level has."""
    counts = []
    while size:
        counts.append(size)
        size //= WIDTH
    return counts


def tile_of(level: int, count: int, index: int) -> Tile:
    """Section "Tiles": the tile of this index on a level with so many hashes."""
    return Tile(level, index, min(WIDTH, count - index * WIDTH))


def tiles_of_level(level: int, count: int) -> Iterator[Tile]:
    return (tile_of(level, count, index) for index in range((count + WIDTH - 1) // WIDTH))


def paths_in_order(size: int) -> Iterator[str]:
    """Step 4: the paths of all tiles, in the order of their bytes, one at a time: a size may be very great."""
    for level, count in enumerate(level_counts(size)):
        for index in indexes_in_order(0, (count + WIDTH - 1) // WIDTH):
            yield tile_of(level, count, index).path()


def indexes_in_order(groups: int, count: int) -> Iterator[int]:
    """Step 4: the numbers below `count` in the order of their paths, after the groups that stand before.

    Digits sort before `x`. So below `x001/` there come 1000 to 1999 first, then 1000000 and what follows.
    """
    yield from range(groups * 1000, min(groups * 1000 + 1000, count))
    for group in range(max(groups * 1000, 1), groups * 1000 + 1000):
        if group * 1000 >= count:
            return
        yield from indexes_in_order(group, count)


# ---------------------------------------------------------------------------------------------------------------------
# Section "Entries": the canonical form of RFC 8785.

ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)}
ESCAPES |= {ord(char): "\\" + short for char, short in zip('\b\t\n\f\r"\\', 'btnfr"\\')}
STRING_TOKEN = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
NUMBER_TOKEN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LITERALS = {"true": True, "false": False, "null": None}


def canonical_string(text: str) -> str:
    """RFC 8785, section 3.2.2.2: the shortest escapes."""
    return '"' + text.translate(ESCAPES) + '"'


def canonical_number(number: float) -> str:
    """RFC 8785, section 3.2.2.3: a number as ECMAScript writes it (Number::toString, radix 10).

    Python and ECMAScript choose the same digits: the fewest that give the same number again, and of these the nearest.
    They differ in where they put the point and the exponent.
    """
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    digits, point = shortest_digits(abs(number))
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def shortest_digits(number: float) -> tuple[str, int]:
    """The digits d and the place p of the point, so that the number is 0.d · 10^p."""
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0) - (len(digits) - len(digits.lstrip("0")))
    return digits.strip("0"), point


class CanonicalParser:
    """RFC 8785: reads a JSON text and refuses it unless it is in canonical form.

    A text is canonical if there is no white space, each string and number is written as the two functions above write
    it, and the names of each object ascend in the order of their UTF-16 code units, none twice. The stack is a list, so
    that no depth of nesting exhausts the stack of the interpreter.
    """

    def __init__(self, text: str):
        self.text, self.at = text, 0
        self.open: list[tuple[object, str | None]] = []  # the open lists and objects, with the name that is due a value

    def parse(self) -> object:
        while True:
            value, complete = self.value()
            while complete:
                if not self.open:
                    require(self.at == len(self.text), "something comes after the value")
                    return value
                value, complete = self.attach(value)

    def value(self) -> tuple[object, bool]:
        """A scalar or an empty container is complete; otherwise a container was opened and a value is due in it."""
        char = self.peek()
        if char not in ("{", "["):
            return self.scalar(), True
        container: object = {} if char == "{" else []
        self.at += 1
        if self.peek() == ("}" if char == "{" else "]"):
            require(len(self.open) < MAX_DEPTH, "nested too deep")
            self.at += 1
            return container, True
        require(len(self.open) < MAX_DEPTH, "nested too deep")
        self.open.append((container, self.name(None) if char == "{" else None))
        return None, False

    def attach(self, value: object) -> tuple[object, bool]:
        """Put a value into the container it stands in; then there is a comma, or the container is complete."""
        container, name = self.open.pop()
        if isinstance(container, dict):
            container[name] = value
        else:
            container.append(value)
        char = self.peek()
        self.at += 1
        if char == ("}" if isinstance(container, dict) else "]"):
            return container, True
        require(char == ",", "neither a comma nor the end")
        self.open.append((container, self.name(name) if isinstance(container, dict) else None))
        return None, False

    def name(self, previous: str | None) -> str:
        """RFC 8785, section 3.2.3: the order of the names."""
        name = self.string()
        ascends = previous is None or previous.encode("utf-16-be") < name.encode("utf-16-be")
        require(ascends, "names that do not ascend")
        require(self.peek() == ":", "a name without a value")
        self.at += 1
        return name

    def scalar(self) -> object:
        if self.peek() == '"':
            return self.string()
        for literal, value in LITERALS.items():
            if self.text.startswith(literal, self.at):
                self.at += len(literal)
                return value
        return self.number()

    def string(self) -> str:
        token = self.token(STRING_TOKEN)
        value = json.loads(token)
        require(canonical_string(value) == token, "a string that is not in canonical form")
        return value

    def number(self) -> int | float:
        token = self.token(NUMBER_TOKEN)
        value = float(token)
        require(math.isfinite(value) and canonical_number(value) == token, "a number that is not in canonical form")
        return int(value) if value.is_integer() else value

    def token(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise Malformed("not JSON")
        self.at = match.end()
        return match[0]

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]


def refuse(token: str) -> NoReturn:
    raise Malformed("not for the short way")


def small_integer(token: str) -> int:
    require(len(token) <= 15, "not for the short way")
    return int(token)


DECODER = json.JSONDecoder(parse_int=small_integer, parse_float=refuse, parse_constant=refuse)
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def parse_canonical(raw: bytes) -> object:
    """Section "Entries": the value of bytes in canonical form.

    The short way: if what Python's own encoder writes is the text again, the text is canonical, provided that

    - every number is an integer of at most 15 characters (Python and ECMAScript write these alike, `-0` becomes `0`);
    - no character is beyond U+FFFF (then the order of code points is the order of UTF-16 code units);
    - there are not enough brackets to nest too deep.

    The encoder leaves no white space, sorts the names, drops a name that is there twice, and escapes `"`, `\\` and the
    characters below U+0020 as RFC 8785 does, and nothing else. Every other text goes the long way, which decides.
    """
    text = raw.decode("utf-8")
    if (text.isascii() or max(text) <= "\uffff") and text.count("{") + text.count("[") <= MAX_DEPTH:
        with contextlib.suppress(Malformed, ValueError, RecursionError):
            value = DECODER.decode(text)
            if ENCODER.encode(value) == text:
                return value
    return CanonicalParser(text).parse()


def is_whole(value: object, least: int, most: int | None = None) -> bool:
    """A whole number; true and false are none."""
    return type(value) is int and least <= value and (most is None or value <= most)


def is_text(value: object) -> bool:
    """Text that is not empty."""
    return isinstance(value, str) and value != ""


# ---------------------------------------------------------------------------------------------------------------------
# Section "Verifying an export".


def read_regular(path: str, limit: int) -> bytes:
    """The bytes of a regular file; a symbolic link is none. No more than the limit is ever held."""
    require(stat.S_ISREG(os.lstat(path).st_mode), "not a regular file")
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    require(len(data) <= limit, "the file is too long")
    return data


def step_1_checkpoint(directory: str, keys: Keys) -> Checkpoint:
    """Step 1, the checkpoint."""
    with blame("checkpoint", "checkpoint"):
        raw = read_regular(os.path.join(directory, "checkpoint"), MAX_NOTE)
        return open_first_checkpoint(raw, keys)


def open_first_checkpoint(raw: bytes, keys: Keys) -> Checkpoint:
    """Step 1: every signature is by a key that was given; the size is at least 1."""
    checkpoint = open_checkpoint(raw, keys, pass_over_unknown=False)
    require(checkpoint.size >= 1, "the size is 0")
    return checkpoint


def step_2_earlier(notes: list[bytes], checkpoint: Checkpoint, keys: Keys) -> list[Checkpoint]:
    """Step 2, earlier checkpoints: each is opened and its size compared before the next is looked at."""
    earlier = []
    for number, raw in enumerate(notes, 1):
        with blame("known", number):
            known = open_checkpoint(raw, keys, pass_over_unknown=True)
            require(known.origin == checkpoint.origin, "another origin")
        if known.size > checkpoint.size:
            raise Fault("cut", known.size)
        earlier.append(known)
    return earlier


def step_3_scope(directory: str, checkpoint: Checkpoint, keys: Keys) -> Scope | None:
    """Step 3, the scope. A directory of this name is no file."""
    path = os.path.join(directory, "scope")
    with blame("scope", "scope"):
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(mode):
            return None
        return open_scope(read_regular(path, MAX_NOTE), checkpoint, keys)


def open_scope(raw: bytes, checkpoint: Checkpoint, keys: Keys) -> Scope:
    """Section "An export": the six lines of a scope, signed by the log with type 0x01 alone."""
    note = parse_note(raw, 6)
    origin, size, root, tenant, entries, digest = note.lines
    require(origin == checkpoint.origin + "/scope", "another origin")
    require(parse_number(size) == checkpoint.size, "another size")
    require(base64_hash(root) == checkpoint.root, "another root")
    require(tenant.startswith("tenant ") and TENANT.fullmatch(tenant, 7), "the line of the tenant")
    require(entries.startswith("entries "), "the line of the entries")
    by = signers(note, keys, pass_over_unknown=False)
    require(by and all(is_note_key_of(key, checkpoint.origin) for key in by), "signed by others")
    return Scope(tenant.removeprefix("tenant "), parse_number(entries.removeprefix("entries ")), base64_hash(digest))


def step_4_files(directory: str, size: int) -> set[str]:
    """Step 4, the files. Gives the paths of the files of entries that are there."""
    regular, other = list_files(directory)
    bundles = {path for path in regular if is_bundle_path(path, size)}
    too_many = other + [path for path in regular if path not in bundles and not is_other_path(path, size)]
    missing = next((path for path in paths_in_order(size) if path not in regular), None)
    wrong = too_many if missing is None else [*too_many, missing]
    if wrong:
        raise Fault("file", path_text(min(wrong, key=os.fsencode)))
    return bundles


def list_files(directory: str) -> tuple[set[str], list[str]]:
    """Step 4: the paths of the regular files below the directory, and of what is neither such a file nor a directory."""
    regular, other, folders = set(), [], [""]
    while folders:
        folder = folders.pop()
        with blame("file", path_text(folder or ".")), os.scandir(os.path.join(directory, folder)) as found:
            for item in found:
                path = f"{folder}/{item.name}" if folder else item.name
                if item.is_dir(follow_symlinks=False):
                    folders.append(path)
                elif item.is_file(follow_symlinks=False):
                    regular.add(path)
                else:
                    other.append(path)
    return regular, other


def path_text(path: str) -> str:
    """A path as text. Each byte that is no part of valid UTF-8 becomes U+FFFD."""
    return re.sub("[\udc80-\udcff]", "\ufffd", os.fsencode(path).decode("utf-8", "surrogateescape"))


NUMBERED_PATH = re.compile(r"tile/([0-7]|entries)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/[0-9]{1,3})?", re.ASCII)


def is_numbered_path(path: str, size: int, entries: bool) -> bool:
    """Step 4: whether a tree of this size has the tile or file of entries with this path."""
    match = NUMBERED_PATH.fullmatch(path)
    if match is None or (match[1] == "entries") != entries:
        return False
    level = 0 if entries else int(match[1])
    index, counts = int(re.sub("[x/]", "", match[2])), level_counts(size)
    if level >= len(counts) or index * WIDTH >= counts[level]:
        return False
    tile = tile_of(level, counts[level], index)
    return path == (tile.entries_path() if entries else tile.path())


def is_bundle_path(path: str, size: int) -> bool:
    return is_numbered_path(path, size, entries=True)


def is_other_path(path: str, size: int) -> bool:
    return path in ("checkpoint", "scope") or is_numbered_path(path, size, entries=False)


def step_5_tiles(directory: str, size: int) -> list[bytes]:
    """Step 5, the form of the tiles. Gives the hashes of each level, one after the other."""
    levels = []
    for level, count in enumerate(level_counts(size)):
        levels.append(b"".join(read_tile(directory, tile) for tile in tiles_of_level(level, count)))
    return levels


def read_tile(directory: str, tile: Tile) -> bytes:
    with blame("tile", tile.path()):
        data = read_regular(os.path.join(directory, tile.path()), tile.width * HASH)
        require(len(data) == tile.width * HASH, "a tile has 32 bytes a hash")
        return data


def read_bundle(directory: str, tile: Tile) -> list[bytes]:
    """Section "An export": the entries of a file, b"" for one that is not there."""
    raw = read_regular(os.path.join(directory, tile.entries_path()), tile.width * (2 + MAX_ENTRY))
    entries, at = [], 0
    for _ in range(tile.width):
        require(at + 2 <= len(raw), "the file of entries ends too early")
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        require(end <= len(raw), "the file of entries ends too early")
        entries.append(raw[at + 2 : end])
        at = end
    require(at == len(raw), "something comes after the last entry")
    require(any(entries), "a file without an entry")
    return entries


class Contents:
    """The files of entries of an export, and which entries are there."""

    def __init__(self, directory: str, size: int, bundles: set[str]):
        self.directory, self.size = directory, size
        self.present = bytearray(size)  # 1 where the entry is there
        self.bundles = [tile for tile in tiles_of_level(0, size) if tile.entries_path() in bundles]

    def absent_indexes(self) -> Iterator[int]:
        index = self.present.find(0)
        while index >= 0:
            yield index
            index = self.present.find(0, index + 1)


def step_5_entries(contents: Contents, leaves: bytes) -> bytes:
    """Step 5, the form of the files of entries. Gives T of step 6 with E in its place wherever the entry is there."""
    overlaid = bytearray(leaves)
    for tile in contents.bundles:
        with blame("bundle", tile.entries_path()):
            entries = read_bundle(contents.directory, tile)
        for index, entry in enumerate(entries, tile.index * WIDTH):
            if entry:
                contents.present[index] = 1
                overlaid[index * HASH : (index + 1) * HASH] = leaf_hash(entry)
    return bytes(overlaid)


def step_6_tree(checkpoint: Checkpoint, levels: list[bytes], overlaid: bytes) -> list[bytes]:
    """Step 6, the tree. Gives its rows, all of which follow from the tiles of level 0."""
    with blame("tree", "checkpoint"):
        changed = first_difference(levels[0], overlaid)
        rows = tree_rows(levels[0])
        if first_wrong_tile(levels, rows) is None and rows[-1] == checkpoint.root:
            if changed is not None:
                raise Fault("entry", changed)
            return rows
        rows = tree_rows(overlaid)
        if rows[-1] == checkpoint.root:
            raise Fault("tile", first_wrong_tile(levels, rows))
        if changed is not None:
            raise Fault("entry", changed)
        raise Fault("tree", "checkpoint")


def first_difference(one: bytes, other: bytes) -> int | None:
    """Step 6: the first index at which two rows of hashes differ."""
    if one == other:
        return None
    return next(index for index in range(len(one) // HASH) if hash_at(one, index) != hash_at(other, index))


def first_wrong_tile(levels: list[bytes], rows: list[bytes]) -> str | None:
    """Step 6: the path of the first tile, level by level and by index, that is not what follows from the leaves."""
    for level, hashes in enumerate(levels):
        wrong = first_difference(hashes, rows[8 * level][: len(hashes)])
        if wrong is not None:
            return tile_of(level, len(hashes) // HASH, wrong // WIDTH).path()
    return None


def step_7_earlier(earlier: list[Checkpoint], rows: list[bytes]) -> None:
    """Step 7, earlier checkpoints again."""
    for known in earlier:
        with blame("fork", known.size):
            require(root_of_first(rows, known.size) == known.root, "another history")


class Closing(NamedTuple):
    producer: str
    epoch: int
    audit: int


class Seen:
    """What the steps 9 and 10 need to know of the entries."""

    def __init__(self, size: int):
        self.lanes: dict[tuple[str, int], int] = {}  # (producer, epoch) and the number it has here
        self.lane = array("q", bytes(8 * size))  # by index: the number of the lane
        self.seq = array("q", bytes(8 * size))  # by index
        self.ids: set[str] = set()
        self.ranges: list[tuple[int, int]] = []  # what was sealed
        self.closings: list[Closing] = []  # by index


def step_8_entries(contents: Contents, leaves: bytes, scope: Scope | None) -> Seen:
    """Step 8, the entries, by index. The files are read again; what is read must be what was hashed."""
    seen = Seen(contents.size)
    for tile in contents.bundles:
        index = tile.index * WIDTH
        with blame("entry", index):
            entries = read_bundle(contents.directory, tile)
        for index, raw in enumerate(entries, index):
            if contents.present[index]:
                with blame("entry", index):
                    require(leaf_hash(raw) == hash_at(leaves, index), "the file was changed meanwhile")
                    note_entry(seen, index, check_entry(raw, scope))
    return seen


def check_entry(raw: bytes, scope: Scope | None) -> dict:
    """Step 8: the form of one entry."""
    entry = parse_canonical(raw)
    require(isinstance(entry, dict), "not an object")
    require(is_whole(entry.get("v"), 1, 1), "v")
    for name in ("id", "time", "tenant", "producer", "action"):
        require(is_text(entry.get(name)), name)
    for name in ("epoch", "seq"):
        require(is_whole(entry.get(name), 1, MAX_WHOLE), name)
    for name in ("actor", "object"):
        require(isinstance(entry.get(name), dict), name)
    require(scope is None or entry["tenant"] == scope.tenant, "an entry of another tenant")
    return entry


def note_entry(seen: Seen, index: int, entry: dict) -> None:
    """Step 8: no id is there twice. The rest is kept for step 10."""
    require(entry["id"] not in seen.ids, "an id that is there already")
    seen.ids.add(entry["id"])
    lane = (entry["producer"], entry["epoch"])
    seen.lane[index] = seen.lanes.setdefault(lane, len(seen.lanes))
    seen.seq[index] = entry["seq"]
    if entry["action"] == "seal":
        seen.ranges.extend(sealed_ranges(entry, index))
    if entry["action"] == "lane.closed":
        seen.closings.extend(closing(entry))


def sealed_ranges(entry: dict, index: int) -> Iterator[tuple[int, int]]:
    """Step 10: the ranges of a seal that count; they lie before the seal itself."""
    after = entry.get("after")
    ranges = after.get("ranges") if isinstance(after, dict) else None
    if entry.get("outcome") != "done" or entry["tenant"] != "batuta" or not isinstance(ranges, list):
        return
    for item in ranges:
        if isinstance(item, list) and len(item) == 2 and is_whole(item[0], 0) and is_whole(item[1], item[0], index - 1):
            yield item[0], item[1]


CLOSED_LANE = re.compile(r"(.+)/([1-9][0-9]{0,15})", re.DOTALL)


def closing(entry: dict) -> Iterator[Closing]:
    """Step 10: what an entry says about the end of a lane, if it names a lane and a number."""
    after, name = entry.get("after"), entry["object"].get("id")
    audit = after.get("audit") if isinstance(after, dict) else None
    match = CLOSED_LANE.fullmatch(name) if isinstance(name, str) else None
    if match and is_whole(int(match[2]), 1, MAX_WHOLE) and is_whole(audit, 0, MAX_WHOLE):
        yield Closing(match[1], int(match[2]), audit)


def step_9_scope(contents: Contents, leaves: bytes, scope: Scope) -> None:
    """Step 9, the scope again."""
    with blame("scope", "scope"):
        require(sum(contents.present) == scope.entries, "another count")
        digest = hashlib.sha256()
        for index, present in enumerate(contents.present):
            if present:
                digest.update(hash_at(leaves, index))
        require(digest.digest() == scope.digest, "another hash")


def step_10_sealed(contents: Contents, seen: Seen) -> None:
    """Step 10, first: every absent entry lies in a sealed range."""
    ranges = sorted(seen.ranges, reverse=True)
    reach = -1  # the last index that the ranges so far cover
    for index in contents.absent_indexes():
        while ranges and ranges[-1][0] <= index:
            reach = max(reach, ranges.pop()[1])
        if index > reach:
            raise Fault("missing", index, "incomplete")


def gap(lane: tuple[str, int], due: int) -> Fault:
    return Fault("gap", f"{lane[0]}/{lane[1]}/{due}", "incomplete")


def step_10_lanes(contents: Contents, seen: Seen) -> dict[tuple[str, int], tuple[int, int]]:
    """Step 10, then: the lanes, entry by entry. Gives the last seq of each lane, and how many entries are absent before it."""
    names = list(seen.lanes)
    last = [(0, 0)] * len(names)  # by lane: seq of its last entry so far, and the absent entries before that one
    absent = 0  # how many entries so far are absent
    for index, present in enumerate(contents.present):
        if not present:
            absent += 1
            continue
        lane, seq = seen.lane[index], seen.seq[index]
        before, absent_before = last[lane]
        if seq <= before or seq - before - 1 > absent - absent_before:
            raise gap(names[lane], before + 1)
        last[lane] = (seq, absent)
    return dict(zip(names, last))


def step_10_closings(contents: Contents, seen: Seen, last: dict[tuple[str, int], tuple[int, int]]) -> None:
    """Step 10, last: the lanes that were closed."""
    absent = contents.present.count(0)
    for closed in seen.closings:
        lane = (closed.producer, closed.epoch)
        seq, absent_before = last.get(lane, (0, 0))
        if closed.audit - seq > absent - absent_before:
            raise gap(lane, seq + 1)


def verify_export(directory: str, keys: Keys, known: list[bytes]) -> None:
    """Section "Verifying an export": the steps in their order. Returns if the export is good."""
    checkpoint = step_1_checkpoint(directory, keys)
    earlier = step_2_earlier(known, checkpoint, keys)
    scope = step_3_scope(directory, checkpoint, keys)
    bundles = step_4_files(directory, checkpoint.size)
    levels = step_5_tiles(directory, checkpoint.size)
    contents = Contents(directory, checkpoint.size, bundles)
    overlaid = step_5_entries(contents, levels[0])
    rows = step_6_tree(checkpoint, levels, overlaid)
    step_7_earlier(earlier, rows)
    seen = step_8_entries(contents, levels[0], scope)
    if scope is not None:
        step_9_scope(contents, levels[0], scope)
        return
    step_10_sealed(contents, seen)
    step_10_closings(contents, seen, step_10_lanes(contents, seen))


# ---------------------------------------------------------------------------------------------------------------------
# Section "Entries with proofs".

MAX_LINE = 1024 * 1024  # without its LF; an entry of 65,535 bytes with six bytes of escape for each, and its proof, is far shorter


def verify_proofs(path: str, keys: Keys) -> None:
    """Section "Entries with proofs": the checkpoint of the first line, then line by line. Returns if all is good."""
    with open(path, "rb") as file:
        with blame("checkpoint", "checkpoint"):
            checkpoint = proofs_checkpoint(file.readline(MAX_LINE + 2), keys)
        number = 1
        while line := file.readline(MAX_LINE + 2):
            number += 1
            check_proof_line(line, number, checkpoint)


def proofs_checkpoint(line: bytes, keys: Keys) -> Checkpoint:
    """Section "Entries with proofs": the first line."""
    head = parse_line(line)
    require(head.get("format") == "batuta.audit.proofs" and is_whole(head.get("v"), 1, 1), "another format")
    return open_first_checkpoint(head["checkpoint"].encode(), keys)


def check_proof_line(line: bytes, number: int, checkpoint: Checkpoint) -> None:
    """Section "Entries with proofs": one entry. Its place is its index, or its line if that cannot be read."""
    place: object = f"line {number}"
    with blame("entry", place):
        item = parse_line(line)
        require(is_whole(item.get("index"), 0, 2**53 - 1), "the index")
        place = item["index"]
    with blame("entry", place):
        proof = [base64_hash(text) for text in proof_list(item)]
        leaf = leaf_hash(item["entry"].encode("utf-8"))
        require(inclusion_root(place, checkpoint.size, leaf, proof) == checkpoint.root, "not in the log")


def proof_list(item: dict) -> list:
    require(isinstance(item.get("proof"), list), "the proof")
    return item["proof"]


def parse_line(line: bytes) -> dict:
    """Section "Entries with proofs": a line is a JSON object in canonical form."""
    text = line.removesuffix(b"\n")
    require(len(text) <= MAX_LINE, "the line is too long")
    value = parse_canonical(text)
    require(isinstance(value, dict), "not an object")
    return value


# ---------------------------------------------------------------------------------------------------------------------
# The command.


def arguments(argv: list[str] | None) -> argparse.Namespace:
    what = "Verify an export of the audit log, or entries with proofs."
    parser = argparse.ArgumentParser(description=what, allow_abbrev=False)
    parser.add_argument("path", metavar="DIR|FILE.jsonl")
    parser.add_argument("--key", metavar="VKEY", action="append", required=True)
    parser.add_argument("--witness-key", metavar="VKEY", action="append", default=[])
    parser.add_argument("--known", metavar="FILE", action="append", default=[])
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser.parse_args(argv)


def read_known(path: str) -> bytes:
    """A file that the caller names must be there. What it holds is judged in step 2."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_NOTE + 1)
    except OSError as error:
        raise UsageError(f"the earlier checkpoint {path} cannot be read: {error.strerror}") from error


def verify(options: argparse.Namespace) -> Fault | None:
    """Verify what was named. Gives the fault, or None if it is good."""
    keys = key_ring(options.key, options.witness_key)
    known = [read_known(path) for path in options.known]
    try:
        if os.path.isdir(options.path):
            verify_export(options.path, keys, known)
        elif not os.path.isfile(options.path):
            raise UsageError(f"there is no directory and no file {options.path}")
        elif known:
            raise UsageError("an earlier checkpoint can be compared with an export only")
        else:
            verify_proofs(options.path, keys)
    except Fault as fault:
        return fault
    except OSError as error:
        raise UsageError(f"{options.path} cannot be read: {error.strerror}") from error
    return None


def result_line(fault: Fault | None, format_: str) -> str:
    """Section "Verifying an export": the result as one line."""
    if format_ == "text":
        return f"{fault.verdict}: fault {fault.fault}, place {printable(fault.place)}" if fault else "good"
    if fault is None:
        return '{"verdict":"good"}'
    members = ("fault", fault.fault), ("place", fault.place), ("verdict", fault.verdict)
    return "{" + ",".join(f'"{name}":{canonical_string(value)}' for name, value in members) + "}"


def printable(text: str) -> str:
    """Text for a terminal: what is not printable is escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        fault = verify(options)
    except UsageError as error:
        print(f"verify_export: {printable(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    except MemoryError:
        print("verify_export: there is not enough memory to verify this.", file=sys.stderr)
        return EXIT_USAGE
    sys.stdout.buffer.write((result_line(fault, options.format) + "\n").encode("utf-8"))
    sys.stdout.flush()
    return EXIT[fault.verdict if fault else "good"]


if __name__ == "__main__":
    sys.exit(main())
