"""BlockType and StepType: what a plugin adds to pages and to workflows, each with settings that people fill in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from core.base.errors import InvalidDocument

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from core.tenancy.models import App

MOST_SHOWN_CHARS = 500_000


@dataclass(frozen=True, kw_only=True)
class Settable:
    """A type of thing with settings. References and files in the settings follow restores and copies as everywhere.

    Args:
        name: In small letters, as it stands in documents.
        title: What people call it.
        about: What it does, in a few words for people who choose.
        settings: Each setting's JSON Schema by its name; "title" and "description" in it are what people read (`core.api.schemas`).
        needed: The settings that its form asks for; a new one may lack them until somebody fills them in.
        starts: What a new one has.
    """

    name: str
    title: str
    about: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    needed: Sequence[str] = ()
    starts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """The schema of all settings."""
        return {"type": "object", "title": self.title, "properties": dict(self.settings), "required": list(self.needed),
                "additionalProperties": False}

    @cached_property
    def _validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema)

    def trouble(self, settings: Mapping[str, Any], *, whole: bool = True) -> str:
        """Return what is wrong with settings, with its place; "" for nothing. Unless *whole*, some that are needed may lack."""
        for error in self._validator.iter_errors(settings):
            if not whole and error.validator == "required" and not error.path:
                continue
            where = "/".join(str(step) for step in error.absolute_path)
            return f"{where + ': ' if where else ''}{error.message[:300]}"
        return ""


def check_settings(known: Mapping[str, Settable], what: str, before: Any, after: Any) -> None:
    """Refuse things of types that nobody here brings, or with settings that do not fit, where somebody puts or changes them.

    Args:
        known: The types by name.
        what: What such a thing is called: "block".
        before: A body as it stood; None for a new one.
        after: The body as it shall be; in both, {"type": "plugin", "plugin_type": …, "settings": …} with a "key" is such a thing.

    Raises:
        InvalidDocument: with its key and what is wrong.
    """
    stood = {one.get("key"): one for one in _brought(before)}
    for one in _brought(after):
        was, name = stood.get(one.get("key"), {}), one.get("plugin_type", "")
        if (was.get("plugin_type"), was.get("settings", {})) == (name, one.get("settings", {})):
            continue
        where = f"The {what} {one.get('key')}"
        if name not in known:
            raise InvalidDocument(f"{where} is of the type “{name[:60]}”, which no plugin on this server brings. Install the plugin, "
                                  f"or use another type.")
        if trouble := known[name].trouble(one.get("settings", {}), whole=False):
            raise InvalidDocument(f"{where} ({known[name].title}) has settings that do not fit: {trouble}")


def _brought(body: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if one.get("type") == "plugin" and isinstance(one.get("key"), str):
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockShown:
    """What a block of a page is shown from: for whom, with which settings; "page/p_…" is the page, "b_…" the block's key."""

    app: App
    person: str
    page: str
    key: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class BlockType(Settable):
    """A type of blocks of pages. `show` gives HTML (`markupsafe.Markup`), or a text, for one visitor.

    It asks for records by `core.api.ask_records`, as far as the person may read them. What it raises, gives of another type or gives
    beyond 500,000 characters is no block; an AppkeepError is said to those who manage the app.
    """

    show: Callable[[BlockShown], Markup | str]


@dataclass(frozen=True, kw_only=True)
class StepType(Settable):
    """A type of steps of workflows. `says` gives the sentence that stands for a step among others, from its settings.

    `does` does a step: it takes the app, the settings, and worksheet and number of the record that the run is about (None where there
    is none), and gives a mapping of JSON that later steps can use, or None. What it writes belongs to the run's transaction, so that it
    happens once; an AppkeepError that it raises ends the run with its message. It may be called again where that transaction is lost.
    """

    says: Callable[[Mapping[str, Any]], str] | None = None
    does: Callable[[App, Mapping[str, Any], str | None, int | None], Mapping[str, Any] | None] | None = None
