"""Small pieces of sentences: times, numbers, lists. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Body = Mapping[str, Any]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONGEST = 120


def schedule(schedule: Body) -> str:
    """Return a schedule in words: "Every week on Monday at 07:30"."""
    every, interval = schedule["every"], schedule.get("interval", 1)
    said = f"Every {every}" if interval == 1 else f"Every {interval} {every}s"
    if every == "week" and schedule.get("weekdays"):
        said += " on " + listing([WEEKDAYS[day] for day in sorted(set(schedule["weekdays"]))], "and")
    if every == "month" and "day" in schedule:
        said += f" on day {schedule['day']}"
    if every in ("day", "week", "month") and ("hour" in schedule or "minute" in schedule):
        said += f" at {schedule.get('hour', 0):02}:{schedule.get('minute', 0):02}"
    if every == "hour" and "minute" in schedule:
        said += f" at minute {schedule['minute']}"
    return said


def time(minutes: int) -> str:
    """Return a length of time in words: "2 hours"."""
    for size, word in ((1440, "day"), (60, "hour")):
        if minutes % size == 0:
            return count(minutes // size, word)
    return count(minutes, "minute")


def count(number: int, word: str) -> str:
    """Return a number of things in words: "1 day", "2 days"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def listing(words: Sequence[str], joint: str) -> str:
    """Return words as a list in a sentence: "a, b and c"."""
    return f"{', '.join(words[:-1])} {joint} {words[-1]}" if len(words) > 1 else "".join(words)


def short(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "…"
