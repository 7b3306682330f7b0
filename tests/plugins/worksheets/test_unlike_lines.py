"""Which lines of a segment have to be looked at, where it meets what is there."""

from __future__ import annotations

import random

from plugins.worksheets.restore import FEW_LINES, _unlike_lines


def test_no_line_that_differs_is_passed_over() -> None:
    """However lines were changed, added and taken away: what is not there now is among them, and few others are."""
    chance = random.Random(3)
    for _ in range(500):
        then = [b"%d a" % n for n in sorted(chance.sample(range(300), chance.randint(0, 256)))]
        now = [line[:-1] + b"b" if chance.random() < 0.02 else line for line in then if chance.random() > 0.01]
        now = sorted({*now, *(b"%d c" % n for n in chance.sample(range(300, 400), chance.randint(0, 3)))}, key=lambda line: int(line.split()[0]))
        unlike = _unlike_lines([*now, b""], [*then, b""])
        missed = set(then) - set(now)
        assert missed <= unlike <= {*then, b""}
        assert len(unlike - missed) <= FEW_LINES
    assert set() == _unlike_lines([b""], [b""])
    assert {b"1 a"} == _unlike_lines([b""], [b"1 a", b""])
