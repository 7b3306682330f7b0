"""Two writers at once: each in a thread of its own, with its own session and connection, on the same server."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask

from core.api import as_tenant
from core.base.db import db


def at_once(server: Flask, organization: str, *works: Callable[[], None]) -> list[BaseException]:
    """Do all *works* at once, each from the same start, and return what they raised."""
    start, raised = threading.Barrier(len(works)), list[BaseException]()

    def begin(work: Callable[[], None]) -> None:
        with server.app_context():
            try:
                with as_tenant(organization):
                    start.wait(30)
                    work()
            except Exception as error:
                raised.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    db.session.rollback()
    return raised


def each(times: int, work: Callable[[int], None]) -> Callable[[], None]:
    """Return what does *work* that often, with the number of each time."""
    def all_of_it() -> None:
        for n in range(times):
            work(n)

    return all_of_it
