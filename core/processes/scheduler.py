"""The clock: looks every few seconds for runs whose worker died or that the queue lost. Two of them do no harm."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from core.app import create_app
from core.apps import making
from core.backups import base, check_due, look, scratch, uploads
from core.backups.retention import service as retention
from core.backups.schedule import service as schedules
from core.base.config import Config
from core.base.db import is_outage, let_go
from core.gc import old_runs, sweep
from core.imports.inbox import tidy
from core.runs.service import announce_ended, recover
from core.server import server
from core.tenancy import answered_requests
from core.tenancy.plugin_states import note_failures

log = logging.getLogger(__name__)
SLOW_S = 60
"""What reads whole tables is looked for so often."""


def run_clock(config: Config, stop: threading.Event | None = None) -> None:
    """Tick until *stop* is set; for ever without one."""
    stop = stop or threading.Event()
    slow_at = 0.0
    with create_app(config).app_context():
        while not stop.wait(config.clock_tick_s):
            slow = time.monotonic() >= slow_at
            tick(slow=slow)
            slow_at = time.monotonic() + SLOW_S if slow else slow_at


def tick(*, slow: bool = True) -> None:
    """Look once, also for what is *slow* to look for and can wait; each step by itself, so that none that fails stops another.

    A database that cannot be reached is waited for, and what fails is logged and tried again at the next tick.
    """
    steps: list[Callable[[], object]] = [recover, announce_ended, schedules.tick, retention.tick, uploads.forget_old]
    if slow:
        steps += [look.tick, check_due.tick, check_due.tick_deep, sweep.tick, old_runs.tick, making.tick, tidy, base.tidy, scratch.tick,
                  answered_requests.forget_old]
    for step in [*steps, *_listeners(), note_failures]:
        try:
            step()
        except Exception as error:
            let_go()
            if is_outage(error):
                log.warning("The clock waits for the database: %s", getattr(error, "orig", error))
                return
            # At the top of a loop that must go on.
            log.exception("Something failed when the clock ticked: %s", getattr(step, "__qualname__", step))


def _listeners() -> list[Callable[[], object]]:
    """Return what Appkeep's own plugins do at a tick, each by itself, then what all others do."""
    manager = server().registry.manager
    found = manager.in_order(manager.hook.clock_ticked.get_hookimpls())
    return [*(one.function for one in found if one.plugin_name not in manager.strangers),
            *(partial(manager.call_one, "clock_ticked", one) for one in found if one.plugin_name in manager.strangers)]
