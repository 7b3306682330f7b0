"""How often somebody guessed wrong: five times in fifteen minutes lock what they guessed at, for where they guess from, for fifteen.

Guesses are counted for each place that they come from, so that nobody locks out another: a browser in which the person has signed in
before, the address of one, or any other address. Those from places that are new to the person are also counted together, and more than
a few of them a day wait for each other ever longer; known places do not wait for them.

Counted in the database, so that it holds for all web processes together and over a restart. An attempt is written down
and committed before it is looked at: of any number of attempts at once no more than are allowed are looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from core.api import db, in_transaction, now_us, transaction
from tenants.errors import Locked
from tenants.models import Attempt

SECOND_US = 1_000_000
ALLOWED = 5
WINDOW_US = LOCKED_US = 15 * 60 * SECOND_US
TOGETHER = 20
"""How many wrong guesses a day from new places are looked at without a pause."""
DAY_US = 86_400 * SECOND_US


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a guess comes from: a name that tells it from other places, and whether the person was there before."""

    name: str
    known: bool = False


def guess(what: str, whose: str, right: Callable[[], bool], origin: Origin) -> bool:
    """Return what *right* answers, unless *what* of *whose* was guessed wrong too often.

    A right guess forgets the wrong ones. Commits by itself: what is refused must not take its count back with it.

    Args:
        what: What is guessed at: "password", "code", or "proof" of who is signed in already.
        whose: Whose it is: an e-mail, also one that nobody has, or a person's id.
        right: Looks at the guess.
        origin: Where it comes from.

    Raises:
        Locked: five wrong guesses from there in fifteen minutes, the last of them less than fifteen minutes ago; or too many
            from all new places together.
    """
    if in_transaction():
        raise RuntimeError("An attempt is counted even if what follows fails: not inside transaction().")
    here, together = _subject(what, whose, origin.name), _subject(what, whose)
    mine = _note([here] if origin.known else [here, together])
    until = locked_until(_times(here, but=mine)) or 0
    if not origin.known:
        until = max(until, paused_until(_times(together, but=mine)) or 0)
    if until > now_us():
        _forget(Attempt.id.in_(mine))
        minutes = (until - now_us()) // (60 * SECOND_US) + 1
        raise Locked(f"Too many wrong attempts. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}.")
    if not right():
        return False
    _forget(Attempt.subject.in_([here] if origin.known else [here, together]))
    return True


def locked_until(times: Sequence[int]) -> int | None:
    """Return until when wrong guesses at these times, oldest first, lock what was guessed at; None if they do not."""
    ends = [last + LOCKED_US for first, last in zip(times, times[ALLOWED - 1:], strict=False) if last - first < WINDOW_US]
    return max(ends, default=None)


def paused_until(times: Sequence[int]) -> int | None:
    """Return until when the next guess from a new place waits after those of a day, oldest first: ever longer, at most as a lock."""
    beyond = len(times) - TOGETHER
    if beyond < 0:
        return None
    return times[-1] + min(LOCKED_US, SECOND_US << min(beyond // 2 + 1, 30))


def _subject(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _note(subjects: Sequence[str]) -> list[int]:
    with transaction():
        # What was noted at a moment that is yet to come was noted by a clock that was wrong, and would lock for all that time.
        db.session.execute(delete(Attempt).where((Attempt.at < now_us() - DAY_US) | (Attempt.at > now_us() + LOCKED_US)))
        attempts = [Attempt(subject=subject, at=now_us()) for subject in subjects]
        db.session.add_all(attempts)
        db.session.flush()
        return [attempt.id for attempt in attempts]


def _times(subject: str, but: Sequence[int]) -> Sequence[int]:
    found = db.session.scalars(select(Attempt.at).where(Attempt.subject == subject, Attempt.id.not_in(but)).order_by(Attempt.at)).all()
    db.session.rollback()
    return found


def _forget(which: object) -> None:
    with transaction():
        db.session.execute(delete(Attempt).where(which))  # type: ignore[arg-type]
