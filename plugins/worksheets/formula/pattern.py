"""Regular expressions that cannot run away: all ways to match go forward side by side, every step is paid for.

Known: literals, ``.``, classes, ``\\d \\w \\s`` and their opposites, ``^ $ \\b``, groups, ``|`` and the quantifiers
``* + ? {m,n}`` with their lazy forms. Backreferences and looking around cannot be had this way.

Source: K. Thompson, CACM 11/6 (1968); R. Pike's machine with captures, as R. Cox describes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from plugins.worksheets.formula.values import CalculationFailed, bounded

MAX_PATTERN = 1_000
MAX_PROGRAM = 3_000
_MAX_DEPTH = 20
_STEP_COST = 4

Ranges = tuple[tuple[str, str], ...]
_DIGITS: Ranges = (("0", "9"),)
_WORDS: Ranges = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"), ("\u00aa", "\U0010ffff"))
_SPACES: Ranges = (("\t", "\r"), (" ", " "), ("\u00a0", "\u00a0"))
_CLASSES = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_COUNTED = re.compile(r"\{(\d{1,4})(,(\d{1,4})?)?\}")


@dataclass(frozen=True, slots=True)
class Take:
    """Go on if the next character is in the ranges (or, negated, in none)."""

    ranges: Ranges
    negated: bool = False

    def fits(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True)
class Split:
    """Go on at both places, counted from here; the first is preferred."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Save:
    """Note the position as the start or end of a group."""

    slot: int


@dataclass(frozen=True, slots=True)
class Stand:
    """Go on if the position is at the start (^), the end ($), or at the edge of a word (b; B if not)."""

    where: str


Program = tuple[Take | Split | Save | Stand, ...]
Slots = tuple[int, ...]
Spend = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression made ready."""

    program: Program
    slots: int

    @staticmethod
    @lru_cache(maxsize=256)
    def of(source: str) -> Pattern:
        """Return the pattern that *source* writes.

        Raises:
            CalculationFailed: it is none, asks for what is not known, or is too large.
        """
        if len(source) > MAX_PATTERN:
            raise CalculationFailed("the pattern is too long")
        reader = _Reader(source)
        program = reader.choice(0)
        if reader.place < len(source):
            raise CalculationFailed("the pattern has a “)” too many")
        return Pattern((Save(0), *program, Save(1)), 2 * reader.groups + 2)

    def found(self, text: str, spend: Spend) -> bool:
        """Return whether the pattern matches anywhere in a text."""
        return self._next(text, 0, spend) is not None

    def replaced(self, text: str, new: str, spend: Spend) -> str:
        """Return a text with every match replaced; in *new* a backslash and a digit stand for that group."""
        pieces, end, start = [], 0, 0
        while start <= len(text):
            slots = self._next(text, start, spend)
            if slots is None:
                break
            pieces += [text[end:slots[0]], _filled(new, text, slots)]
            spend(len(pieces[-1]))
            end = slots[1]
            start = end + (slots[0] == slots[1])
        return bounded("".join(pieces) + text[end:])

    def _next(self, text: str, start: int, spend: Spend) -> Slots | None:
        """Return the slots of the first match at or after *start*."""
        best: Slots | None = None
        states: list[tuple[int, Slots]] = []
        for position in range(start, len(text) + 1):
            seen: set[int] = set()
            current: list[tuple[int, Slots]] = []
            for place, slots in states:
                self._spread(place, slots, text, position, seen, current)
            if best is None:
                self._spread(0, (-1,) * self.slots, text, position, seen, current)
            elif not current:
                break
            spend(_STEP_COST * (1 + len(seen)))
            states = []
            for place, slots in current:
                if place == len(self.program):
                    best = slots
                    break
                step = self.program[place]
                if position < len(text) and isinstance(step, Take) and step.fits(text[position]):
                    states.append((place + 1, slots))
        return best

    def _spread(self, place: int, slots: Slots, text: str, position: int, seen: set[int],
                current: list[tuple[int, Slots]]) -> None:
        """Add every state that is reached from *place* without a character, in order of preference."""
        waiting = [(place, slots)]
        while waiting:
            at, held = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            step = self.program[at] if at < len(self.program) else None
            if isinstance(step, Split):
                waiting += [(at + step.second, held), (at + step.first, held)]
            elif isinstance(step, Save):
                waiting.append((at + 1, (*held[:step.slot], position, *held[step.slot + 1:])))
            elif not isinstance(step, Stand):
                current.append((at, held))
            elif _stands(step.where, text, position):
                waiting.append((at + 1, held))


def _stands(where: str, text: str, position: int) -> bool:
    if where == "^":
        return position == 0
    if where == "$":
        return position == len(text)
    word = Take(_WORDS)
    before = position > 0 and word.fits(text[position - 1])
    after = position < len(text) and word.fits(text[position])
    return (before != after) == (where == "b")


def _filled(new: str, text: str, slots: Slots) -> str:
    def part(match: re.Match[str]) -> str:
        if not match[1].isdigit():
            return match[1]
        slot = 2 * int(match[1])
        return text[slots[slot]:slots[slot + 1]] if slot < len(slots) and slots[slot + 1] >= 0 else ""
    return re.sub(r"\\([0-9\\])", part, new)


class _Reader:
    """Reads a pattern by descending into its groups."""

    def __init__(self, source: str) -> None:
        self.source, self.place, self.groups = source, 0, 0

    def peek(self) -> str:
        return self.source[self.place:self.place + 1]

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise CalculationFailed("the pattern ends too soon")
        self.place += 1
        return character

    def choice(self, depth: int) -> Program:
        if depth > _MAX_DEPTH:
            raise CalculationFailed("the pattern is nested too deep")
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence(depth))
        program = branches.pop()
        while branches:
            branch = branches.pop()
            program = _fitting((Split(1, len(branch) + 2), *branch, _jump(len(program) + 1), *program))
        return program

    def sequence(self, depth: int) -> Program:
        program: Program = ()
        while self.peek() not in ("", "|", ")"):
            program = _fitting((*program, *self.quantified(self.atom(depth))))
        return program

    def atom(self, depth: int) -> Program:
        character = self.take()
        if character == "(":
            return self.group(depth)
        if character == "[":
            return (self.set_of(),)
        if character == "\\":
            return (self.escaped(),)
        if character in "^$":
            return (Stand(character),)
        if character == ".":
            return (Take((("\n", "\n"),), negated=True),)
        if character in "*+?":
            raise CalculationFailed(f"nothing stands before “{character}” in the pattern")
        return (Take(((character, character),)),)

    def group(self, depth: int) -> Program:
        if self.peek() != "?":
            self.groups += 1
            slot = 2 * self.groups
            inner = self.choice(depth + 1)
            program: Program = (Save(slot), *inner, Save(slot + 1))
        elif self.source.startswith("?:", self.place):
            self.place += 2
            program = self.choice(depth + 1)
        else:
            raise CalculationFailed("the pattern has a kind of group that is not known here")
        if self.take() != ")":
            raise CalculationFailed("a “)” is missing in the pattern")
        return program

    def escaped(self) -> Take | Stand:
        character = self.take()
        if character in "bB":
            return Stand(character)
        if character.lower() in _CLASSES:
            return Take(_CLASSES[character.lower()], negated=character.isupper())
        if character.isalnum() and character not in _ESCAPES:
            raise CalculationFailed(f"“\\{character}” is not known in patterns here")
        literal = _ESCAPES.get(character, character)
        return Take(((literal, literal),))

    def set_of(self) -> Take:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: list[tuple[str, str]] = []
        while self.peek() != "]" or not ranges:
            ranges += self.range_of()
        self.take()
        return Take(tuple(ranges), negated)

    def range_of(self) -> Ranges:
        low = self.member()
        if self.peek() != "-" or self.source[self.place + 1:self.place + 2] in ("]", "") or len(low) != 1:
            return low
        self.take()
        high = self.member()
        if len(high) != 1 or high[0][0] < low[0][0]:
            raise CalculationFailed("the pattern has a range that ends before it starts")
        return ((low[0][0], high[0][0]),)

    def member(self) -> Ranges:
        character = self.take()
        if character != "\\":
            return ((character, character),)
        found = self.escaped()
        if isinstance(found, Stand) or found.negated:
            raise CalculationFailed("the pattern has an escape that cannot stand within “[…]”")
        return found.ranges

    def quantified(self, program: Program) -> Program:
        least, most = self.counts()
        if (least, most) == (1, 1):
            return program
        if max(least, most or 0) * (len(program) + 1) > MAX_PROGRAM:
            raise CalculationFailed("the pattern is too large")
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        once = (_split(1, len(program) + 1, lazy), *program)
        if most is None:
            again = (_split(1, len(program) + 2, lazy), *program, _jump(-len(program) - 1))
            return program * least + again
        return program * least + once * (most - least)

    def counts(self) -> tuple[int, int | None]:
        """Return how often what stands before may occur, at least and at most; None is without end."""
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek())
        if simple is not None:
            self.take()
            return simple
        counted = _COUNTED.match(self.source, self.place)
        if counted is None:
            return 1, 1
        self.place = counted.end()
        least = int(counted[1])
        most = least if counted[2] is None else None if counted[3] is None else int(counted[3])
        if most is not None and most < least:
            raise CalculationFailed("the pattern has a count that ends before it starts")
        return least, most


def _split(first: int, second: int, lazy: bool) -> Split:
    return Split(second, first) if lazy else Split(first, second)


def _jump(offset: int) -> Split:
    return Split(offset, offset)


def _fitting(program: Program) -> Program:
    if len(program) > MAX_PROGRAM:
        raise CalculationFailed("the pattern is too large")
    return program
