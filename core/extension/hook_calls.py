"""Calling hooks: Appkeep's own implementations first, and each stranger's by itself, so that one that fails stops nobody else.

What a stranger's implementation raises is logged with its plugin's name, what it wrote in an open transaction is taken back, and
it gives nothing. Only the hooks in `REFUSING` may refuse. One that takes long has failed, too, although its answer is taken; one that
does not return is interrupted, and of each plugin only so many calls are under way that pages are left for everybody else. A plugin
that failed `MOST_FAILURES` times within `WITHIN_S` is not called any more by this process; what it registered stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pluggy
from flask import has_app_context, has_request_context
from pluggy import HookImpl

from core.base.budget import BudgetSpent
from core.base.content import BrowsingFailed, StillPreparing
from core.base.db import db, in_transaction, is_outage
from core.base.errors import AppkeepError
from core.extension.hook_results import checked
from core.extension.time_bound import bounded

REFUSING = frozenset({"calculate", "check_field", "find_organization", "find_person", "objects_reserved", "prove_identity"})
"""Hooks whose implementations may refuse by an AppkeepError, which is passed on to whoever asked."""
SLOW_S = 2
"""An implementation that takes longer while somebody waits for a page has failed."""
PAGE_S, ELSEWHERE_S = 10, 60
"""One that takes longer is interrupted: while somebody waits for a page, and where nobody does."""
AT_ONCE = 4
"""So many requests may be within one plugin at once; one more waits `SLOW_S` for a place, then does without the plugin."""
MOST_FAILURES, WITHIN_S = 20, 600
log = logging.getLogger(__name__)


class HookCaller(pluggy.PluginManager):
    """A manager of plugins that knows which are strangers, and calls hooks as this module says."""

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.strangers: set[str] = set()
        self.off: dict[str, str] = {}
        self.trying = ""
        self.failed: list[tuple[str, str]] = []
        self._failures: dict[str, deque[float]] = {}
        self._places: dict[str, threading.BoundedSemaphore] = {}
        self._within = threading.local()

    def _hookexec(self, hook_name: str, methods: Sequence[HookImpl], kwargs: Mapping[str, object], firstresult: bool) -> Any:
        found = []
        for implementation in self.in_order(methods):
            given = self.call_one(hook_name, implementation, [kwargs[name] for name in implementation.argnames])
            if given is not None and firstresult:
                return given
            found += [] if given is None else [given]
        return None if firstresult else found

    def in_order(self, methods: Sequence[HookImpl]) -> list[HookImpl]:
        """Return implementations as they are called: Appkeep's own, then strangers', each the last registered first."""
        last_first = list(reversed(methods))
        return [*(one for one in last_first if one.plugin_name not in self.strangers),
                *(one for one in last_first if one.plugin_name in self.strangers)]

    def call_one(self, hook: str, implementation: HookImpl, arguments: Sequence[object] = ()) -> Any:
        """Return what one implementation gives; None for a stranger's that failed, or that is not called any more.

        That of a plugin which is being tried out, before it counts as a stranger, raises what it raises.
        """
        name = implementation.plugin_name

        def called() -> Any:
            return checked(hook, implementation.function(*arguments))

        if name == self.trying:
            return bounded(ELSEWHERE_S, called)
        if name not in self.strangers:
            return implementation.function(*arguments)
        if name in self.off and not hook.startswith("register_"):
            return None
        return self.call_stranger(name, hook, called, refuses=hook in REFUSING)

    def call_stranger(self, plugin: str, what: str, function: Callable[[], Any], *, refuses: bool = False) -> Any:
        """Return what code of a stranger's plugin gives; None where it failed, took too long, or holds all its places.

        Args:
            plugin: Its name.
            what: What is called, for the log and whoever looks after plugins.
            function: The code.
            refuses: An AppkeepError is its answer and is passed on.
        """
        began = time.monotonic()
        try:
            with self._place(plugin), _taken_back():
                given = bounded(PAGE_S if has_request_context() else ELSEWHERE_S, function)
        except (Exception, SystemExit) as error:
            # A stranger's code may raise anything.
            if _passes(error, refuses=refuses):
                raise
            log.exception("The plugin %s failed in %s", plugin, what)
            self._note_failure(plugin, f"{what}: {type(error).__name__}: {error}")
            return None
        if has_request_context() and time.monotonic() - began > SLOW_S:
            log.warning("The plugin %s took %.1f s in %s", plugin, time.monotonic() - began, what)
            self._note_failure(plugin, f"{what} takes longer than {SLOW_S} s")
        return given

    @contextmanager
    def _place(self, plugin: str) -> Iterator[None]:
        """Hold one of the places that requests have within a plugin; whoever is within one already needs no other.

        Raises:
            TimeoutError: all were taken, and stayed so.
        """
        if not has_request_context() or getattr(self._within, "one", False):
            yield
            return
        places = self._places.setdefault(plugin, threading.BoundedSemaphore(AT_ONCE))
        if not places.acquire(timeout=SLOW_S):
            raise TimeoutError(f"{AT_ONCE} requests are within it and do not come out")
        self._within.one = True
        try:
            yield
        finally:
            self._within.one = False
            places.release()

    def _note_failure(self, plugin: str, what: str) -> None:
        failures, now = self._failures.setdefault(plugin, deque(maxlen=MOST_FAILURES)), time.monotonic()
        failures.append(now)
        if len(self.failed) < MOST_FAILURES:
            self.failed.append((plugin, what))
        if len(failures) == MOST_FAILURES and now - failures[0] < WITHIN_S and plugin not in self.off:
            self.off[plugin] = f"it failed {MOST_FAILURES} times, the last time in {what}"
            log.error("The plugin %s is not called any more by this process: %s", plugin, self.off[plugin])


@contextmanager
def _taken_back() -> Iterator[None]:
    """Take back what the block writes in an open transaction where it fails."""
    if has_app_context() and in_transaction():
        with db.session.begin_nested():
            yield
        return
    try:
        yield
    except BaseException:
        if has_app_context():
            db.session.rollback()
        raise


def is_passing(error: BaseException) -> bool:
    """Say whether an error that comes out of a plugin's code is not its own: an outage, the end of a budget or of a run's time.

    Nor is it what a backup that is browsed says by errors: that it is still being unpacked, or cannot be read.
    """
    ends = any(kind.__name__ == "BaseTimeoutException" for kind in type(error).__mro__)
    return ends or isinstance(error, BudgetSpent | StillPreparing | BrowsingFailed) or (isinstance(error, Exception) and is_outage(error))


def _passes(error: BaseException, *, refuses: bool) -> bool:
    """Say whether what a stranger's code raised is raised on.

    An outage is the caller's business where its transaction has ended with it. Elsewhere it may be of the plugin's own making, as
    where it writes while a page only reads; where the database is really away, the next question tells.
    """
    if refuses and isinstance(error, AppkeepError):
        return True
    outage = isinstance(error, Exception) and is_outage(error)
    return is_passing(error) and (not outage or (has_app_context() and in_transaction()))
