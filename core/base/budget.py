"""Budget: how much work and time one request may take, and how many slow requests may run at once.

Whoever does work that grows with the data says how much (`spend`), about a millionth of a second each; where nobody waits for an
answer, as in a worker or a command, there is no budget. It is kept a thread, from the gate on until the answer is sent. No Flask, no SQL.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import ClassVar

from core.base.errors import AppkeepError

LOOK = 20_000
"""Units of work between two looks at the clock."""
SOFT_PART = 8
"""A request that has used up this part of its work is a slow one."""
SHOW_PART = 5
"""What was found may still be shown for this part of the work, and for as many seconds more."""
SHOW_S = 2
AT_ONCE_BYTES = 64 * 1024 * 1024
"""The web server takes so much of an answer from its request at once; what is larger waits for whoever reads it."""
HELP = "Fewer conditions, an indexed field or fewer computed fields help."


class BudgetSpent(AppkeepError):
    """A page asks for more work than one request may do."""

    code, status, title = "too_much_work", 422, "Too much at once"


class ServerBusy(AppkeepError):
    """Slow requests of the same organization hold all the places that there are for such."""

    code, status, title = "server_busy", 503, "Busy"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


class Slots:
    """The places for slow requests in this process: fewer than its threads, and fewer still for each organization.

    Args:
        threads: How many requests the process serves at once.
    """

    def __init__(self, threads: int) -> None:
        self.total = max(1, threads // 2)
        self.each = max(1, self.total // 2)
        self._crowd = max(2, threads // 2)
        self._slow: Counter[str] = Counter()
        self._here: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, organization_id: str) -> bool:
        """Give a slow request a place, and say whether there was one."""
        with self._lock:
            if self._slow[organization_id] >= self.each or self._slow.total() >= self.total:
                return False
            self._slow[organization_id] += 1
            return True

    def give_back(self, organization_id: str) -> None:
        """Free the place of a slow request."""
        with self._lock:
            self._slow = self._slow - Counter({organization_id: 1})

    def enter(self, organization_id: str) -> None:
        """Count a request of an organization.

        Raises:
            ServerBusy: it would wait for slow ones of the same organization, and others would wait behind it.
        """
        with self._lock:
            if self._slow[organization_id] >= self.each and self._here[organization_id] >= self._crowd:
                raise ServerBusy("Your organization has several large requests running. Try again in a few seconds.")
            self._here[organization_id] += 1

    def leave(self, organization_id: str) -> None:
        """Count a request no more."""
        with self._lock:
            self._here = self._here - Counter({organization_id: 1})


class Budget:
    """What is left to one request. `notes` say, for people, what was left out for want of it."""

    def __init__(self, work: float, slots: Slots, *, time_s: float, slow_s: float) -> None:
        now = time.monotonic()
        self.work, self.soft, self._reserve = work, work - work / SOFT_PART, work / SHOW_PART
        self.slow_at, self.ends, self._time_s = now + slow_s, now + time_s, time_s
        self.notes: list[str] = []
        self._slots, self._organization_id = slots, ""
        self._holds = self._entered = self._showing = self._cut = False
        self._next = work - LOOK

    def enter(self, organization_id: str) -> None:
        """Say whose request it is.

        Raises:
            ServerBusy: see `Slots.enter`.
        """
        self._slots.enter(organization_id)
        self._organization_id, self._entered = organization_id, True

    def spend(self, amount: int) -> None:
        """Count work that is done.

        Raises:
            BudgetSpent: it was too much, took too long, or there is no place for one more slow request.
        """
        self.work -= amount
        if self.work < self._next:
            self._next = self.work - LOOK
            if self.work < 0 or self.is_over():
                self._next = math.inf  # who goes on all the same is stopped at once
                raise self.cut()

    def look_at_clock(self) -> None:
        """See that time is not up, where this was not said yet.

        Raises:
            BudgetSpent: see `spend`.
        """
        if not self._cut and self.is_over():
            raise self.cut()

    def cut(self) -> BudgetSpent:
        """Return what is raised where the request has to stop."""
        self._cut = True
        if self.work >= self.soft and time.monotonic() > self.ends:  # it waited for others more than it did
            return BudgetSpent(f"This takes longer than a page can wait. Try again in a moment. {HELP}")
        return BudgetSpent(f"This takes more work than one page can do. {HELP}")

    def is_over(self) -> bool:
        """Say whether time is up; a request that becomes a slow one takes a place of such."""
        now = time.monotonic()
        if now > self.ends:
            return True
        return not self._showing and (now > self.slow_at or self.work < self.soft) and not self.hold()

    @property
    def left_ms(self) -> int:
        """How long one statement of the database may take, in milliseconds; 0 for any time."""
        return 0 if self.ends == math.inf else max(SHOW_S * 1000, int((self.ends - time.monotonic()) * 1000))

    def hold(self) -> bool:
        """Take a place of a slow request, if not done yet, and say whether there is one."""
        self._holds = self._holds or self._slots.take(self._organization_id)
        return self._holds

    def begin_showing(self) -> None:
        """Give more time, once, to show what was found where finding it used up the budget."""
        if self._cut and not self._showing:
            self._showing = True
            self.work = max(self.work, self._reserve)
            self.ends = max(self.ends, time.monotonic() + SHOW_S)
            self._next = self.work

    def enlarge(self, times: float) -> None:
        """Give so many times as much to what is long by its nature and has taken a place of slow requests."""
        self.work, self.ends = self.work * times, time.monotonic() + self._time_s * times
        self._next = self.work

    def handed_over(self) -> Callable[[], None]:
        """Return what frees the place that is held, once; the end of the request does not free it any more."""
        slots, organization_id, held = self._slots, self._organization_id, [self._holds]
        self._holds = False

        def free() -> None:
            if held and held.pop():
                slots.give_back(organization_id)

        return free

    def tell(self, note: str) -> None:
        """Note what was left out, once."""
        if note not in self.notes:
            self.notes.append(note)

    def end(self) -> None:
        """Give back the places that were taken; it is no error to do so twice."""
        if self._holds:
            self._slots.give_back(self._organization_id)
        if self._entered:
            self._slots.leave(self._organization_id)
        self._holds = self._entered = False


_current: ContextVar[Budget | None] = ContextVar("appkeep_budget", default=None)


def begin(budget: Budget) -> None:
    """Make this thread work on a budget until `end`."""
    end()
    _current.set(budget)


def end() -> None:
    """Take the budget away from this thread."""
    if (budget := _current.get()) is not None:
        budget.end()
        _current.set(None)


def current() -> Budget | None:
    """Return the budget of the current request, None where nobody waits."""
    return _current.get()


def spend(amount: int) -> None:
    """Count work that is done for the current request, see `Budget.spend`."""
    if (budget := _current.get()) is not None:
        budget.spend(amount)


def tell(note: str) -> None:
    """Note for the current request's page what was left out."""
    if (budget := _current.get()) is not None:
        budget.tell(note)


def begin_showing() -> None:
    """See `Budget.begin_showing`."""
    if (budget := _current.get()) is not None:
        budget.begin_showing()


def hold_place(what: str, times: float) -> None:
    """Take a place of slow requests for what lasts by its nature, "the export", and give it so many times as much.

    Raises:
        ServerBusy: there is no place.
    """
    budget = _current.get()
    if budget is None:
        return
    if not budget.hold():
        raise ServerBusy(f"The server is busy with other long requests, and {what} would wait for them. Try again in a minute.")
    budget.enlarge(times)


def keep_place(what: str) -> Callable[[], None]:
    """Take a place of slow requests that is kept while the answer is sent; return what frees it.

    Raises:
        ServerBusy: there is no place.
    """
    hold_place(what, 1)
    budget = _current.get()
    return (lambda: None) if budget is None else budget.handed_over()


def check_whole() -> None:
    """See that nothing was left out so far.

    Raises:
        BudgetSpent: something was.
    """
    budget = _current.get()
    if budget is not None and budget.notes:
        raise budget.cut()
