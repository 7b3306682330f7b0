"""Kinds of runs: what workers do beside serving pages. The core's own come through the same hook as a plugin's."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """A kind of run, "backup".

    `work` names the function that does it, "package.module:function": it takes the run (`RunContext`) and returns its report as
    JSON, or None where it has ended the run itself. `ended` names one that is told once that a run has ended, in a transaction of
    its own: it takes the run's row (`Run`). Named by text, so that whoever asks for a run loads nothing of what does it.

    `title` is what people read ("Backup check"), `plural` what several are called ("backup checks"). An app has at most one
    `exclusive` run at a time, of all kinds together. A run that has at most `short_up_to_bytes` of content to read or write takes
    seconds, and none of the others goes before it; None: such runs are long. `most_open` is how many an organization may have
    queued and running at once, so that others do not wait behind hundreds; None: any number. Runs of an app are shown among its own
    pages where `in_app`.
    """

    name: str
    title: str
    work: str
    plural: str = ""
    ended: str = ""
    exclusive: bool = False
    in_app: bool = False
    short_up_to_bytes: int | None = None
    most_open: int | None = None
