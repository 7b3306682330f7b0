"""How often somebody guessed wrong: five times in fifteen minutes lock what they guessed at for fifteen.

Counted in the database, so that it holds for all web processes together and over a restart. An attempt is written down
and committed before it is looked at: of any number of attempts at once no more than five are looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import delete, select

from core.api import db, in_transaction, now_us, transaction
from tenants.errors import Locked
from tenants.models import Attempt

ALLOWED = 5
WINDOW_US = LOCKED_US = 15 * 60 * 1_000_000


def guess(what: str, whose: str, right: Callable[[], bool]) -> bool:
    """Return what *right* answers, unless *what* of *whose* was guessed wrong too often.

    A right guess forgets the wrong ones. Commits by itself: what is refused must not take its count back with it.

    Args:
        what: What is guessed at, "password" or "code".
        whose: Whose it is: an email, also one that nobody has, or a person's id.
        right: Looks at the guess.

    Raises:
        Locked: five wrong guesses in fifteen minutes, the last of them less than fifteen minutes ago.
    """
    if in_transaction():
        raise RuntimeError("An attempt is counted even if what follows fails: not inside transaction().")
    subject = hashlib.sha256(f"{what}\0{whose}".encode()).hexdigest()
    mine = _note(subject)
    if (until := locked_until(_times(subject, but=mine))) is not None and until > now_us():
        _forget(Attempt.id == mine)
        minutes = (until - now_us()) // 60_000_000 + 1
        raise Locked(f"Too many wrong attempts. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}.")
    if not right():
        return False
    _forget(Attempt.subject == subject)
    return True


def locked_until(times: Sequence[int]) -> int | None:
    """Return until when wrong guesses at these times, oldest first, lock what was guessed at; None if they do not."""
    ends = [last + LOCKED_US for first, last in zip(times, times[ALLOWED - 1:], strict=False) if last - first < WINDOW_US]
    return max(ends, default=None)


def _note(subject: str) -> int:
    with transaction():
        db.session.execute(delete(Attempt).where(Attempt.at < now_us() - WINDOW_US - LOCKED_US))
        attempt = Attempt(subject=subject, at=now_us())
        db.session.add(attempt)
        db.session.flush()
        return attempt.id


def _times(subject: str, but: int) -> Sequence[int]:
    found = db.session.scalars(select(Attempt.at).where(Attempt.subject == subject, Attempt.id != but).order_by(Attempt.at)).all()
    db.session.rollback()
    return found


def _forget(which: object) -> None:
    with transaction():
        db.session.execute(delete(Attempt).where(which))  # type: ignore[arg-type]
