"""``python -m bench.day [--minutes 10] [--keep]``: eight people at work while parts are killed, hang and go away; then an account of it.

PostgreSQL, Valkey and an S3 server (moto) run on 127.0.0.1. What is wanted: every run ends, no 500, 503 only while a part
is away, at least nine of ten restores of an app in use succeed, every backup is sound.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.day import people
from bench.day.browser import Browser
from bench.day.faults import faults
from bench.day.machine import Machine, machine, start_server

DOES = {"ann": (people.edits, "busy"), "bob": (people.edits, "busy"), "cleo": (people.edits, "busy"), "dan": (people.looks, "busy"),
        "eve": (people.backs_up_and_restores, "busy"), "fay": (people.backs_up_and_restores, "beside"), "gus": (people.imports, "beside"),
        "hal": (people.backs_up_and_restores, "broken")}
Heard = list[tuple[str, float, str, str, int, float]]


def main() -> None:
    """Have the day, and print the account of it as JSON."""
    parser = argparse.ArgumentParser(prog="bench.day", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calm", action="store_true", help="without faults")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="appkeep-day-"))
    try:
        with machine(folder, free_port()) as parts:
            print(json.dumps(day(parts, asked.minutes * 60, calm=asked.calm), indent=1))
    finally:
        if asked.keep:
            print(f"The logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def day(parts: Machine, seconds: float, *, calm: bool) -> dict[str, Any]:
    """Let people work that long, and return the account."""
    prepare(parts)
    stop, heard, wrong = threading.Event(), Heard(), list[tuple[str, float, float]]()
    crowd = [(name, *begin(parts, name, stop, heard)) for name in DOES]
    chaos = threading.Thread(target=lambda: None if calm else wrong.extend(faults(parts, stop)))
    chaos.start()
    time.sleep(seconds)
    stop.set()
    chaos.join(60)
    for way in parts.ways.values():
        way.be("open")
    for _, _, thread in crowd:
        thread.join(people.WAIT_S)
    return account(heard, wrong, [person for _, person, _ in crowd]) | within(parts, "end")


def prepare(parts: Machine) -> None:
    """Make the bucket and the organizations, and start the server."""
    parts.ids = wait_for(lambda: bucket(parts) and within(parts, "make"))  # type: ignore[attr-defined]
    start_server(parts)
    wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{parts.port}/health", timeout=5).status == 200)


def bucket(parts: Machine) -> bool:
    """Make the bucket."""
    import boto3

    boto3.client("s3", endpoint_url=parts.environment["APPKEEP_S3_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id="test",
                 aws_secret_access_key="test").create_bucket(Bucket="day")
    return True


def begin(parts: Machine, name: str, stop: threading.Event, heard: Heard) -> tuple[people.Person, threading.Thread]:
    """Let a person begin."""
    does, where = DOES[name]
    browser = Browser(f"http://127.0.0.1:{parts.port}", lambda *told: heard.append((name, *told)))
    person = people.Person(f"{name}@example.org", browser, stop, random.Random(name))
    app = people.App(**parts.ids[where])  # type: ignore[attr-defined]
    thread = threading.Thread(target=people.live, args=(person, does, app))
    thread.start()
    return person, thread


def within(parts: Machine, verb: str) -> Any:
    """Ask the server from within."""
    command = [sys.executable, "-m", "bench.day.within", verb]
    done = subprocess.run(command, env=parts.environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def wait_for(what: Any, seconds: float = 90) -> Any:
    """Return what *what* gives, once it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError, Exception):
            if found := what():
                return found
        time.sleep(0.5)
    return what()


def account(heard: Heard, wrong: list[tuple[str, float, float]], crowd: list[people.Person]) -> dict[str, Any]:
    """Return the statuses with and without a fault, what was slow, and what people counted."""
    statuses: dict[str, Counter[str]] = {"in a fault": Counter(), "else": Counter()}
    odd: list[str] = []
    for name, at, method, url, status, took in heard:
        there = [fault for fault, began, ended in wrong if began - took <= at <= ended]
        statuses["in a fault" if there else "else"][str(status)] += 1
        if (status in (0, 503) and not there) or (status >= 500 and status != 503):
            odd.append(f"{name} {method} {url}: {status} after {took:.1f} s {there}")
    times = sorted(took for *_, took in heard)
    return {"faults": dict(Counter(fault for fault, _, _ in wrong)), "requests": len(heard),
            "statuses": {when: dict(counted) for when, counted in statuses.items()},
            "odd": odd[:40], "seconds": {"median": times[len(times) // 2], "95 %": times[len(times) * 95 // 100], "most": times[-1]},
            "people": {one.email: one.counts for one in crowd}, "seen": [line for one in crowd for line in one.seen][:30]}


def free_port() -> int:
    """Return a port that is free, with two more after it in all likelihood."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
